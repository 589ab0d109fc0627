import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { completed } from '../support/tunnels/attacked-tunnel.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { exchangeRaw, openSocket } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
});

const fields = (): string =>
  Object.entries(tunnel.clientHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

const post = (rest: string): string => `POST /first HTTP/1.1\r\nhost: a\r\n${fields()}${rest}`;

const EVIL = 'GET /evil HTTP/1.1\r\nhost: evil\r\n\r\n';

describe('#27 a request', () => {
  it.each([
    [
      'a length and chunks',
      `content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`,
    ],
    [
      'chunks and a length',
      `transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n${EVIL}`,
    ],
    ['two lengths', `content-length: 5\r\ncontent-length: 6\r\n\r\nhello${EVIL}`],
    ['one length twice', `content-length: 5\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['two lengths in one field', `content-length: 5, 6\r\n\r\nhello${EVIL}`],
    ['a signed length', `content-length: +5\r\n\r\nhello${EVIL}`],
    ['a negative length', `content-length: -5\r\n\r\nhello${EVIL}`],
    ['a length in hex', `content-length: 0x5\r\n\r\nhello${EVIL}`],
    ['an unknown coding', `transfer-encoding: cow\r\n\r\nhello${EVIL}`],
    ['a coding after chunked', `transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n${EVIL}`],
    [
      'two transfer codings',
      `transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n${EVIL}`,
    ],
    ['a misspelt chunked', `transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${EVIL}`],
    ['a folded line', `x: a\r\n b: c\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['a folded coding', `transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n${EVIL}`],
    ['a space before a colon', `content-length : 5\r\n\r\nhello${EVIL}`],
    ['bare line feeds', `content-length: 5\n\nhello${EVIL}`],
    ['a bare carriage return', `x: a\rcontent-length: 5\r\n\r\nhello${EVIL}`],
    ['a NUL in a value', `x: a\0b\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['an invalid name', `x(y): a\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['an empty name', `: a\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['an invalid chunk size', `transfer-encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n${EVIL}`],
    ['a signed chunk size', `transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n${EVIL}`],
    ['a chunk without its end', `transfer-encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n${EVIL}`],
  ])('gets 400 and a closed connection if it has %s', async (_what, rest) => {
    const response = (await exchangeRaw(tunnel.outbound.port, post(rest))).toString('latin1');

    expect(response).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(response).toMatch(/\r\nconnection: close\r\n/i);
    expect(JSON.parse(response.slice(response.indexOf('\r\n\r\n')))).toMatchObject({
      error: { code: 'RELAY_REQUEST_INVALID' },
    });
    // Forwarding of a refused request may have begun, but must never have ended.
    expect(await completed(tunnel.upstream)).toBe(0);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).not.toContain('/evil');
  });
});

describe('#41 a body that looks like a second request', () => {
  const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'SEARCH'])(
    'remains the body of a chunked %s: the upstream receives one request',
    async (method) => {
      const head = `${method} /${method} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${fields()}`;

      const response = await exchangeRaw(
        tunnel.outbound.port,
        `${head}transfer-encoding: chunked\r\n\r\n${chunked(EVIL)}`,
      );

      expect(response.toString('latin1')).toMatch(/^HTTP\/1.1 200 /);
      // The upstream connection serves another request: leftover bytes on it would be answered first.
      expect(await tunnel.send({ path: '/second' })).toMatchObject({ status: 200 });
      // Requests that were refused in earlier tests may still arrive, and are aborted.
      const requests = tunnel.upstream.requests.items.filter(({ url }) => url !== '/first');
      expect(requests.map(({ url }) => url)).toEqual([`/${method}`, '/second']);
      expect(requests[0]?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    },
  );

  it.each(['GET', 'DELETE'])('remains the body of a %s with a content-length', async (method) => {
    const response = await tunnel.send({ method, path: '/stated', body: EVIL });

    expect(response.status).toBe(200);
    await tunnel.send({ path: '/second' });
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/stated', '/second']);
  });

  it('is a separate request, without a token, after a POST with content-length 0', async () => {
    const response = (
      await exchangeRaw(
        tunnel.outbound.port,
        `${post('content-length: 0\r\n\r\n')}GET /evil HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
      )
    ).toString('latin1');

    expect(response.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/first']);
  });
});

describe('#28 a body that is not as long as its head states', () => {
  it('is never a complete request if the client disconnects early', async () => {
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    socket.write(post('content-length: 10\r\n\r\nhello'));
    const request = await tunnel.upstream.requests.find();
    socket.socket.end();

    expect(await request.outcome).toBe('aborted');
  });

  it.each([
    ['longer', '5', ['0123456789']],
    ['longer by a record', '5', ['01234', '56789']],
    ['shorter', '10', ['012', '34']],
  ])(
    'is provably not forwarded from an MTE message of a peer (%s)',
    async (_what, stated, body) => {
      const client = await ProtocolClient.pair(tunnel.inbound.url);
      const head = { path: '/buffered', fields: ['content-length', stated] };
      const message = client.seal({ type: 'mte', head, body });

      const signedError = client.signedErrorOf(message, await client.deliver(message));

      expect(signedError).toMatchObject({ status: 562, isNeverForwarded: true });
      expect(tunnel.upstream.requests.items.filter(({ url }) => url === '/buffered')).toEqual([]);
    },
  );

  it.each([
    ['longer', '5', ['0123456789']],
    ['shorter', '10', ['01234']],
    ['missing', '10', []],
    ['present despite a stated length of 0', '0', ['01234']],
  ])(
    'is never executed from an MKE message of a peer, and its upstream connection is not reused (%s)',
    async (_what, stated, body) => {
      const client = await ProtocolClient.pair(tunnel.inbound.url);
      const message = client.seal({ head: { fields: ['content-length', stated] }, body });

      const response = await client.deliver(message).catch(() => undefined);

      const forwarded = tunnel.upstream.requests.items.filter(
        ({ message: { complete } }) => complete,
      );
      // If the stated body is missing altogether, the request may be forwarded as one without a body.
      expect(forwarded.map(({ headers }) => headers['content-length'] ?? '0')).toEqual(
        forwarded.map(() => '0'),
      );
      expect(response?.status).not.toBe(566);
      expect(await tunnel.send({ path: '/next' })).toMatchObject({ status: 200 });
      expect(tunnel.upstream.requests.items.at(-1)?.url).toBe('/next');
    },
  );
});
