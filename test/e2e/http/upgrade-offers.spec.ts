import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { exchangeBytes } from '../../support/clients/raw-client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { headBytes, valueOf, type Field } from '../../support/network/raw-http.js';
import { exchangeRaw, openSocket } from '../../support/network/raw-socket.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';

const shared = sharedResources();
let tunnel: RawTunnel;
let passing: TestRelay;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
  passing = shared(await startRelay({ UPSTREAM: tunnel.upstream.url, PASS_THROUGH_ROUTES: '/*' }));
});

/** Responds with the path, in brackets. */
beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(async ({ head, whole, write }) => {
    await whole;
    const path = `[${head.startLine.split(' ')[1]}]`;
    await write(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`);
  });
});

const upgrade = (value: string): readonly Field[] => [
  ['Connection', 'Upgrade'],
  ['Upgrade', value],
];

const OFFERS: readonly (readonly [what: string, fields: readonly Field[]])[] = [
  ['TLS/1.2', upgrade('TLS/1.2')],
  ['HTTP/2', upgrade('h2c')],
  ['a list', upgrade('h2c, h2')],
  ['a list with WebSocket in it', upgrade('h2c, websocket')],
  ['a list that begins with WebSocket', upgrade('websocket, IRC/6.9')],
  ['WebSocket twice', upgrade('websocket, websocket')],
  ['WebSocket and an empty element', upgrade(' websocket , ')],
  ['WebSocket with a version', upgrade('websocket/13')],
  ['an empty value', upgrade('')],
  ['empty elements', upgrade(' , ,')],
  ['an unknown protocol', upgrade('x/1')],
  ['two fields', [...upgrade('TLS/1.2'), ['Upgrade', 'h2c']]],
  ['two fields with WebSocket', [...upgrade('websocket'), ['Upgrade', 'websocket']]],
  ['no connection option', [['Upgrade', 'TLS/1.2']]],
  ['WebSocket without a connection option', [['Upgrade', 'websocket']]],
  ['a connection option alone', [['Connection', 'Upgrade']]],
];

/** What Apache HttpClient 5.4 adds to every plain request. */
const APACHE: readonly Field[] = [
  ['Upgrade', 'TLS/1.2'],
  ['Connection', 'Upgrade'],
  ['User-Agent', 'Apache-HttpClient/5.4 (Java/17.0.13)'],
];

const BODIES: readonly (readonly [what: string, framing: readonly Field[], body: string])[] = [
  ['no body', [], ''],
  ['a length', [['Content-Length', '3']], 'abc'],
  ['chunks', [['Transfer-Encoding', 'chunked']], '3\r\nabc\r\n0\r\n\r\n'],
];

const bodyOf = (at: number): string =>
  tunnel.upstream.exchanges.items[at]?.seen().body.toString() ?? 'none';

const startLines = (): string[] =>
  tunnel.upstream.exchanges.items.map(({ head }) => head.startLine);

/** A relay's port, and the fields that its client has to send. */
const WAYS = {
  'the tunnel': () => ({ port: tunnel.outbound.port, fields: tunnel.fields }),
  'pass-through': () => ({ port: passing.port, fields: [['Host', 'a']] as const }),
} as const;

describe.each(Object.entries(WAYS))('an offer to upgrade, in %s', (_way, way) => {
  const head = (startLine: string, ...others: readonly Field[]): Buffer =>
    headBytes(startLine, [...way().fields, ...others]);

  it.each(OFFERS)('is ignored, and the request served: %s', async (_what, offer) => {
    const last: Field = ['Connection', 'close'];
    const length: Field = ['Content-Length', '4'];
    const response = await exchangeBytes({
      port: way().port,
      method: 'POST',
      bytes: [head('POST /offer HTTP/1.1', ...offer, last, length), Buffer.from('body')],
    });

    expect(response).toMatchObject({ body: Buffer.from('[/offer]'), isComplete: true });
    expect(bodyOf(0)).toBe('body');
    expect(valueOf(tunnel.upstream.exchanges.items[0]!.head.fields, 'upgrade')).toBeUndefined();
  });

  it('is ignored in HTTP/1.0, even if it is WebSocket', async () => {
    const received = await exchangeRaw(
      way().port,
      head('GET /old HTTP/1.0', ...upgrade('websocket')),
    );

    expect(received.toString()).toContain('[/old]');
  });

  it.each(BODIES)(
    'leaves the connection open, as Apache HttpClient 5.4 needs it: %s',
    async (_what, framing, body) => {
      const socket = forThisTest(openSocket(way().port));
      for (const path of ['/1', '/2']) {
        const bytes = head(`PUT ${path} HTTP/1.1`, ...framing, ...APACHE);
        socket.write(Buffer.concat([bytes, Buffer.from(body)]));
        await socket.until(`[${path}]`);
      }

      expect(startLines()).toEqual(['PUT /1 HTTP/1.1', 'PUT /2 HTTP/1.1']);
      expect(bodyOf(1)).toBe(body === '' ? '' : 'abc');
      expect(socket.received.toString()).not.toMatch(/connection: close/i);
    },
  );

  it('leaves the connection open behind a body that arrives later', async () => {
    const socket = forThisTest(openSocket(way().port));
    const half = Buffer.alloc(100_000, 'a');
    const length: Field = ['Content-Length', String(2 * half.length)];
    for (const path of ['/1', '/2']) {
      socket.write(Buffer.concat([head(`PUT ${path} HTTP/1.1`, length, ...APACHE), half]));
      await tunnel.upstream.exchanges.find(({ head: { startLine } }) => startLine.includes(path));
      socket.write(half);
      await socket.until(`[${path}]`);
    }

    expect(bodyOf(1)).toHaveLength(2 * half.length);
  });

  it.each(BODIES)(
    'is the last request of its connection if another is pipelined behind it: %s',
    async (_what, framing, body) => {
      const first = head('PUT /1 HTTP/1.1', ...framing, ...APACHE);
      const received = await exchangeRaw(
        way().port,
        Buffer.concat([first, Buffer.from(body), head('GET /2 HTTP/1.1')]),
      );

      expect(received.toString()).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\nconnection: close\r\n/is);
      expect(received.toString()).toContain('[/1]');
      expect(startLines()).toEqual(['PUT /1 HTTP/1.1']);
    },
  );

  it.each(['h2c', 'websocket'])(
    'is served in its turn if it is pipelined behind another request: %s',
    async (protocol) => {
      const socket = forThisTest(openSocket(way().port));
      const second = head('GET /2 HTTP/1.1', ...upgrade(protocol));
      socket.write(Buffer.concat([head('GET /1 HTTP/1.1'), second]));

      expect((await socket.until('[/2]')).toString()).toContain('[/1]');
      socket.write(head('GET /3 HTTP/1.1'));
      await socket.until('[/3]');
    },
  );

  it.each<readonly [what: string, framing: readonly Field[], body: string]>([
    ['a long one', [['Content-Length', '32769']], 'abc'],
    ['chunks', [['Transfer-Encoding', 'chunked']], '3\r\nabc\r\n0\r\n\r\n'],
  ])(
    'is refused, and not ignored, if it asks for WebSocket with a body that no relay passes on: %s',
    async (_what, framing, body) => {
      const received = await exchangeRaw(
        way().port,
        Buffer.concat([
          head('POST /ws HTTP/1.1', ...framing, ...upgrade('websocket'), ['Connection', 'close']),
          Buffer.from(body),
        ]),
      );

      expect(received.toString()).toMatch(/^HTTP\/1\.1 400 .*RELAY_HEAD_INVALID/s);
      expect(startLines()).toEqual([]);
    },
  );
});

describe('an offer to upgrade that reaches the inbound relay', () => {
  it('is ignored, and its connection stays open', async () => {
    const socket = forThisTest(openSocket(tunnel.inbound.port));
    for (const path of ['/api/mte-relay', '/api/mte-echo/1', '/api/mte-echo/2']) {
      socket.write(headBytes(`GET ${path} HTTP/1.1`, [['Host', 'b'], ...APACHE]));
      await socket.until(path === '/api/mte-relay' ? '200 OK' : `"echo":"${path.at(-1)}"`);
    }

    expect(socket.received.toString()).not.toMatch(/connection: close/i);
  });
});
