import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { completed } from '../support/attacked-tunnel.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { exchangeRaw, openSocket } from '../support/raw-socket.js';
import { forThisTest, sharedResources } from '../support/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnel.js';

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

describe('#27 a request with', () => {
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
    ['two lengths in one', `content-length: 5, 6\r\n\r\nhello${EVIL}`],
    ['a signed length', `content-length: +5\r\n\r\nhello${EVIL}`],
    ['a negative length', `content-length: -5\r\n\r\nhello${EVIL}`],
    ['a length in hex', `content-length: 0x5\r\n\r\nhello${EVIL}`],
    ['an unknown coding', `transfer-encoding: cow\r\n\r\nhello${EVIL}`],
    [
      'chunks that are not the last coding',
      `transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n${EVIL}`,
    ],
    ['chunks twice', `transfer-encoding: chunked\r\ntransfer-encoding: x\r\n\r\n0\r\n\r\n${EVIL}`],
    ['chunks in odd spelling', `transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${EVIL}`],
    ['a folded line', `x: a\r\n b: c\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['a folded coding', `transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n${EVIL}`],
    ['a space before a colon', `content-length : 5\r\n\r\nhello${EVIL}`],
    ['bare line feeds', `content-length: 5\n\nhello${EVIL}`],
    ['a bare carriage return', `x: a\rcontent-length: 5\r\n\r\nhello${EVIL}`],
    ['a NUL in a value', `x: a\0b\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['a name that is none', `x(y): a\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    ['an empty name', `: a\r\ncontent-length: 5\r\n\r\nhello${EVIL}`],
    [
      'a chunk size that is none',
      `transfer-encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n${EVIL}`,
    ],
    ['a signed chunk size', `transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n${EVIL}`],
    ['a chunk without its end', `transfer-encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n${EVIL}`],
  ])('%s is refused: 400 and a closed connection', async (_what, rest) => {
    const answer = (await exchangeRaw(tunnel.outbound.port, post(rest))).toString('latin1');

    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      error: { code: 'RELAY_REQUEST_INVALID' },
    });
    // What was refused may have begun to be forwarded, but never came to an end.
    expect(await completed(tunnel.upstream)).toBe(0);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).not.toContain('/evil');
  });
});

describe('#41 a body that looks like a second request', () => {
  const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'SEARCH'])(
    'of a chunked %s stays a body: one request at the upstream',
    async (method) => {
      const head = `${method} /${method} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${fields()}`;

      const answer = await exchangeRaw(
        tunnel.outbound.port,
        `${head}transfer-encoding: chunked\r\n\r\n${chunked(EVIL)}`,
      );

      expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 200 /);
      // The connection to the upstream serves another one: what was left on it would answer first.
      expect(await tunnel.send({ path: '/second' })).toMatchObject({ status: 200 });
      // What was refused before may still arrive, and break off.
      const requests = tunnel.upstream.requests.items.filter(({ url }) => url !== '/first');
      expect(requests.map(({ url }) => url)).toEqual([`/${method}`, '/second']);
      expect(requests[0]?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    },
  );

  it.each(['GET', 'DELETE'])('of a %s with a length stays a body', async (method) => {
    const answer = await tunnel.send({ method, path: '/stated', body: EVIL });

    expect(answer.status).toBe(200);
    await tunnel.send({ path: '/second' });
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/stated', '/second']);
  });

  it('behind a POST that states length 0 is a request of its own, without a token', async () => {
    const answer = (
      await exchangeRaw(
        tunnel.outbound.port,
        `${post('content-length: 0\r\n\r\n')}GET /evil HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
      )
    ).toString('latin1');

    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/first']);
  });
});

describe('#28 a body that is not as long as its head states', () => {
  it('from a client that goes away early is never a whole request', async () => {
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
    'and that a peer seals so (%s) has provably not been forwarded where it was held (MTE)',
    async (_what, stated, body) => {
      const client = await ProtocolClient.pair(tunnel.inbound.url);
      const head = { path: '/held', fields: ['content-length', stated] };
      const message = client.seal({ type: 'mte', head, body });

      const statement = client.signedErrorOf(message, await client.deliver(message));

      expect(statement).toMatchObject({ status: 562, isNeverForwarded: true });
      expect(tunnel.upstream.requests.items.filter(({ url }) => url === '/held')).toEqual([]);
    },
  );

  it.each([
    ['longer', '5', ['0123456789']],
    ['shorter', '10', ['01234']],
    ['missing', '10', []],
    ['there, of a stated length 0', '0', ['01234']],
  ])(
    'and that a peer seals so (%s) is never executed, nor is its connection used again',
    async (_what, stated, body) => {
      const client = await ProtocolClient.pair(tunnel.inbound.url);
      const message = client.seal({ head: { fields: ['content-length', stated] }, body });

      const answer = await client.deliver(message).catch(() => undefined);

      const isForwarded = tunnel.upstream.requests.items.filter(
        ({ message: { complete } }) => complete,
      );
      // A head that states a body which is missing may be forwarded as what it is: a request without one.
      expect(isForwarded.map(({ headers }) => headers['content-length'] ?? '0')).toEqual(
        isForwarded.map(() => '0'),
      );
      expect(answer?.status).not.toBe(566);
      expect(await tunnel.send({ path: '/next' })).toMatchObject({ status: 200 });
      expect(tunnel.upstream.requests.items.at(-1)?.url).toBe('/next');
    },
  );
});
