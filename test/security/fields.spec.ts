import { gzipSync } from 'node:zlib';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, fieldValues } from '../support/clients/client.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { exchangeRaw, startRawServer } from '../support/network/raw-socket.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startTap } from '../support/attackers/tap.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: Tunnel;
let client: ProtocolClient;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
  client = await ProtocolClient.pair(tunnel.inbound.url);
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

describe('#29 a hand-sealed request head', () => {
  it.each([
    ['a line break in a value', { fields: ['x', 'a\r\nevil: 1'] }],
    ['a line feed in a value', { fields: ['x', 'a\nevil: 1'] }],
    ['a carriage return in a value', { fields: ['x', 'a\revil: 1'] }],
    ['a NUL in a value', { fields: ['x', 'a\0'] }],
    ['DEL in a value', { fields: ['x', 'a\x7f'] }],
    ['a line break in a name', { fields: ['x: 1\r\nevil', '1'] }],
    ['a colon in a name', { fields: ['x:y', '1'] }],
    ['a space in a name', { fields: ['x y', '1'] }],
    ['an empty name', { fields: ['', '1'] }],
    ['an upper-case name', { fields: ['X-Evil', '1'] }],
    ['transfer-encoding', { fields: ['transfer-encoding', 'chunked'] }],
    ['connection', { fields: ['connection', 'content-length'] }],
    ['host', { fields: ['host', 'evil'] }],
    ['expect', { fields: ['expect', '100-continue'] }],
    ['x-mte-relay', { fields: ['x-mte-relay', '1'] }],
    ['two lengths', { fields: ['content-length', '1', 'content-length', '1'] }],
    ['an invalid length', { fields: ['content-length', '1, 1'] }],
    ['a line break in the method', { method: 'GET / HTTP/1.1\r\nx:' }],
    ['a space in the method', { method: 'GET /' }],
    ['the method CONNECT', { method: 'CONNECT' }],
    ['the method TRACE', { method: 'TRACE' }],
    ['no method', { method: '' }],
    ['257 fields', { fields: Array.from({ length: 514 }, () => 'x') }],
  ])('is refused without a call to the upstream if it has %s', async (_what, head) => {
    const message = client.seal({ head });

    const response = await client.deliver(message);

    expect(client.signedErrorOf(message, response)).toMatchObject({
      status: 562,
      isNeverForwarded: true,
    });
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('#56 a hand-sealed request head', () => {
  it.each(['a\r\nevil: 1', 'a\nevil: 1', 'a\0', 'user@a', 'a,b', 'a:0', '[::1', 'a'.repeat(256)])(
    'is refused without a call to the upstream if its authority is %j',
    async (authority) => {
      const message = client.seal({ head: { authority } });

      const response = await client.deliver(message);

      expect(client.signedErrorOf(message, response)).toMatchObject({
        status: 562,
        isNeverForwarded: true,
      });
      expect(tunnel.upstream.hits).toBe(0);
    },
  );
});

describe('#29 an upstream response', () => {
  it.each([
    ['a NUL in a value', 'x: a\0b'],
    ['a bare carriage return', 'x: a\rb: c'],
    ['an invalid name', 'x y: 1'],
    ['a folded line', 'x: a\r\n b'],
    ['two lengths', 'content-length: 2\r\ncontent-length: 3'],
    ['chunks and a length', 'transfer-encoding: chunked\r\ncontent-length: 2'],
  ])('is not passed on if it has %s', async (_what, line) => {
    const upstream = forThisTest(
      await startRawServer((connection) => {
        void connection.until('\r\n\r\n').then(() => {
          connection.write(`HTTP/1.1 200 OK\r\n${line}\r\nx-end: 1\r\n\r\nok`);
          connection.socket.end();
        });
      }),
    );
    const misled = forThisTest(await startTunnel({ inbound: { UPSTREAM: upstream.url } }));

    const response = await misled.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
  });
});

describe('#30 the Connection field of a client', () => {
  it('removes the fields that it names, except those of the relays', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));
    const fields = Object.entries({ ...tunnel.clientHeaders, 'x-mte-upstream': tap.url });
    const named = 'close, x-mte-outbound-token, X-MTE-Upstream, host, content-length, x-named';

    const response = await exchangeRaw(
      tunnel.outbound.port,
      `POST /connection HTTP/1.1\r\nhost: a\r\n${fields.map((field) => field.join(': ')).join('\r\n')}\r\n` +
        `connection: ${named}\r\nconnection: x-mte-relay, x-mte-client-id, x-also\r\n` +
        'x-named: 1\r\nx-also: 2\r\nx-kept: 3\r\nkeep-alive: timeout=5\r\nte: trailers\r\n' +
        'proxy-authorization: secret\r\nupgrade: h2c\r\ncontent-length: 4\r\n\r\nbody',
    );

    expect(response.toString('latin1')).toMatch(/^HTTP\/1.1 200 [\s\S]*body$/);
    const [request] = tunnel.upstream.requests.items;
    const names = request?.rawHeaders.filter((_, at) => at % 2 === 0).map((n) => n.toLowerCase());
    expect(names?.sort()).toEqual(['connection', 'content-length', 'host', 'x-kept']);
    expect(fieldValues(request?.rawHeaders ?? [], 'host')).toEqual([
      new URL(tunnel.upstream.url).host,
    ]);
  });
});

describe('#30 the Connection field of an upstream', () => {
  it('removes the fields that it names, except those of the relays', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, [
        ...['connection', 'x-mte-relay, x-named, content-length', 'x-named', '1', 'x-kept', '2'],
        ...['keep-alive', 'timeout=1', 'proxy-authenticate', 'Basic', 'upgrade', 'h2c'],
        ...['x-mte-relay', '1.evil', 'x-mte-client-id', 'evil'],
        ...['content-length', '2'],
      ]);
      response.end('ok');
    });

    const response = await tunnel.send();

    expect(response).toMatchObject({ status: 200 });
    expect(response.body.toString()).toBe('ok');
    const names = response.rawHeaders.filter((_, at) => at % 2 === 0).map((n) => n.toLowerCase());
    expect(names).toContain('x-kept');
    expect(names.filter((name) => name.startsWith('x-mte') || name === 'x-named')).toEqual([]);
    expect(names).not.toContain('upgrade');
    expect(names).not.toContain('proxy-authenticate');
    expect(fieldValues(response.rawHeaders, 'connection').join()).not.toContain('x-');
  });
});

describe('#31 compressed bodies', () => {
  it('pass through unchanged, whatever their content coding is called', async () => {
    const body = gzipSync('compressible '.repeat(10_000));
    tunnel.upstream.handle(async (request, response) => {
      const received = await request.body();
      response.writeHead(200, {
        'content-encoding': request.headers['content-encoding'] ?? '',
        'content-length': received.length,
        'x-accepted': request.headers['accept-encoding'] ?? '',
      });
      response.end(received);
    });

    for (const coding of ['gzip', 'br', 'unknown', 'gzip, gzip']) {
      const headers = { 'content-encoding': coding, 'accept-encoding': 'gzip, br' };
      const response = await tunnel.send({ method: 'POST', headers, body });

      expect(response.headers).toMatchObject({
        'content-encoding': coding,
        'content-length': String(body.length),
        'x-accepted': 'gzip, br',
      });
      expect(response.body.equals(body)).toBe(true);
    }
  });

  it('are never created: a body is no shorter between the relays than at their ends', async () => {
    const tap = forThisTest(await startTap(tunnel.inbound.port));
    const body = Buffer.alloc(200_000, 'a');

    await tunnel.send({ method: 'POST', headers: { 'x-mte-upstream': tap.url }, body });

    const { items } = tap.connections;
    expect(Buffer.concat(items.map(({ sent }) => sent())).length).toBeGreaterThan(body.length);
    const received = Buffer.concat(items.map((connection) => connection.received()));
    expect(received.length).toBeGreaterThan(body.length);
  });
});
