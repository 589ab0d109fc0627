import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import type { Field } from '../../support/network/raw-http.js';
import { BetweenRelays } from '../../support/tunnels/between-relays.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { ENCODE_TYPES } from '../../support/tunnels/transport.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import type { ScriptedExchange } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;
let between: BetweenRelays;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { ADMIN_PORT: '0' } }));
  between = new BetweenRelays(tunnel.inbound);
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(() => undefined);
});

const ENDINGS = {
  'closes its connection': ({ socket }: ScriptedExchange) => socket.end(),
  'resets its connection': ({ socket }: ScriptedExchange) => socket.resetAndDestroy(),
};

const send = (type: string, startLine: string, fields: readonly Field[], body = ''): RawSocket => {
  const client = forThisTest(openSocket(tunnel.outbound.port));
  client.write(tunnel.head(startLine, ['X-MTE-Encode-Type', type], ...fields));
  client.write(body);
  return client;
};

const LENGTH = (length: number): readonly Field[] => [['Content-Length', String(length)]];
const CHUNKED: readonly Field[] = [['Transfer-Encoding', 'chunked']];

/** Requests whose upstream disconnects before it responds, both complete and incomplete ones. */
const WITHOUT_RESPONSE: readonly [when: string, type: 'MKE' | 'MTE', open: () => RawSocket][] = [
  ['after a GET', 'MKE', () => send('MKE', 'GET /x HTTP/1.1', [])],
  ['after a GET', 'MTE', () => send('MTE', 'GET /x HTTP/1.1', [])],
  ['after an upload', 'MKE', () => send('MKE', 'POST /x HTTP/1.1', LENGTH(4), 'body')],
  ['after an upload', 'MTE', () => send('MTE', 'POST /x HTTP/1.1', LENGTH(4), 'body')],
  ['during an upload', 'MKE', () => send('MKE', 'POST /x HTTP/1.1', LENGTH(1_000), 'part')],
  [
    'during a chunked upload',
    'MKE',
    () => send('MKE', 'PUT /x HTTP/1.1', CHUNKED, '4\r\npart\r\n'),
  ],
];

describe.each(Object.entries(ENDINGS))(
  'an upstream that %s before it has responded',
  (_how, endConnection) => {
    it.each(WITHOUT_RESPONSE.filter(([, type]) => ENCODE_TYPES.includes(type)))(
      '%s results in a 502 with forwarded: maybe (%s)',
      async (...row) => {
        const [, , open] = row;
        const client = open();
        const exchange = await tunnel.upstream.exchanges.find();

        endConnection(exchange);

        const response = (await client.until('"requestId"')).toString('latin1');
        expect(response).toMatch(/^HTTP\/1\.1 502 /);
        expect(response).toContain('"code":"RELAY_UPSTREAM_FAILED"');
        expect(response).toContain('"forwarded":"maybe"');
        await tunnel.upstream.sockets.until(0);
        expect(tunnel.upstream.exchanges.items).toHaveLength(1);
      },
    );

    it('after part of the response head results in a 502', async () => {
      tunnel.upstream.follow(async (exchange) => {
        await exchange.whole;
        await exchange.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Half');
        endConnection(exchange);
      });

      const client = send('MKE', 'GET /x HTTP/1.1', []);

      const response = (await client.until('"requestId"')).toString('latin1');
      expect(response).toMatch(/^HTTP\/1\.1 502 [^]*"code":"RELAY_UPSTREAM_FAILED"/);
    });
  },
);

const RESPONSES: Readonly<Record<string, string>> = {
  'during a body of known length': 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart',
  'between chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
  'within a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npart',
  'during an event stream':
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n',
};

describe.each(Object.entries(ENDINGS))('an upstream that %s', (_how, endConnection) => {
  it.each(
    ['1.1', '1.0'].flatMap((version) =>
      Object.keys(RESPONSES).map((name) => [name, version] as const),
    ),
  )('%s resets the connection of an HTTP/%s client', async (name, version) => {
    tunnel.upstream.follow(async ({ whole, write }) => {
      await whole;
      await write(RESPONSES[name]!);
    });
    const client = send('MKE', `GET /x HTTP/${version}`, []);
    await client.until('part');

    endConnection(await tunnel.upstream.exchanges.find());

    expect(await client.ended).toBe('reset');
    expect(client.received.toString()).not.toContain('0\r\n\r\n');
    await tunnel.upstream.sockets.until(0);
    await between.untilNothing();
  });

  it('during the upload, after its response has begun, resets the connection of the client', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write(RESPONSES['during a body of known length']!);
    });
    const client = send('MKE', 'PUT /x HTTP/1.1', LENGTH(1_000_000), 'part');
    await client.until('\r\n\r\npart');

    endConnection(await tunnel.upstream.exchanges.find());

    expect(await client.ended).toBe('reset');
  });
});

describe('bursts of requests whose upstream cuts its response off', () => {
  it.each(Object.entries(ENDINGS))(
    'leave no connection open if the upstream %s',
    async (_how, endConnection) => {
      for (let burst = 0; burst < 3; burst += 1) {
        tunnel.upstream.follow(async (exchange) => {
          await exchange.write(RESPONSES['during a body of known length']!);
        });
        tunnel.upstream.exchanges.items.length = 0;
        const clients = Array.from({ length: 40 }, () => send('MKE', 'GET /x HTTP/1.1', []));
        await Promise.all(clients.map((client) => client.until('part')));

        tunnel.upstream.exchanges.items.forEach(endConnection);

        expect(new Set(await Promise.all(clients.map(({ ended }) => ended)))).toEqual(
          new Set(['reset']),
        );
        await tunnel.upstream.sockets.until(0);
        await between.untilNothing();
      }
    },
  );
});
