import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { headBytes, type Field } from '../../support/network/raw-http.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import type { ScriptedExchange } from '../../support/upstreams/scripted-upstream.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startRawTunnel({
      both: { IDLE_TIMEOUT_MS: '300' },
      outbound: { UPSTREAM: 'http://127.0.0.1:9' },
      inbound: { PASS_THROUGH_ROUTES: '/public/*' },
    }),
  );
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
});

const responseHead = (type: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;

const event = (text: string): string => {
  const bytes = `data: ${text}\n\n`;
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
};

/** The two ways to request events: through the tunnel, or on a pass-through route of a relay. */
const WAYS = {
  'through the tunnel': (...fields: readonly Field[]): RawSocket => {
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('GET /public/events HTTP/1.1', ...fields));
    return client;
  },
  'on a pass-through route': (...fields: readonly Field[]): RawSocket => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes('GET /public/events HTTP/1.1', [['Host', 'a'], ...fields]));
    return client;
  },
};

type Open = (...fields: readonly Field[]) => RawSocket;

/** Opens a response of the given type, of which the upstream has sent the head. */
async function begin(open: Open, type: string, ...fields: readonly Field[]) {
  const begun = new Promise<ScriptedExchange>((resolve) => {
    tunnel.upstream.follow(async (exchange) => {
      await exchange.write(responseHead(type));
      resolve(exchange);
    });
  });
  const client = open(...fields);
  return { client, exchange: await begun };
}

describe.each(Object.entries(WAYS))('an event stream %s', (_way, open) => {
  it('delivers its head before its first event, and each event before the next is written', async () => {
    const { client, exchange } = await begin(open, 'text/event-stream');
    expect((await client.until('\r\n\r\n')).toString()).not.toContain('data');

    for (const text of ['one', 'two', 'three']) {
      await exchange.write(event(text));
      await client.until(`data: ${text}\n\n`);
    }

    await exchange.write('0\r\n\r\n');
    await client.until('0\r\n\r\n');
    expect(client.received.toString('latin1')).toContain(
      `${event('one')}${event('two')}${event('three')}0\r\n\r\n`,
    );
  });
});

describe('an event stream through the tunnel', () => {
  const open = WAYS['through the tunnel'];

  it('survives a silence that ends any other response', async () => {
    const silent = await begin(open, 'text/event-stream; charset=utf-8');
    await silent.client.until('\r\n\r\n');
    const first = await begin(open, 'text/plain');
    await first.client.until('\r\n\r\n');
    const second = await begin(open, 'application/json');
    await second.client.until('\r\n\r\n');

    expect(await first.client.ended).toBe('reset');
    expect(await second.client.ended).toBe('reset');

    await silent.exchange.write(event('late'));
    await silent.client.until('data: late\n\n');
  });

  it.skipIf(IS_OVER_CHANNELS)(
    'is released in MTE once it has ended, however long it was silent',
    async () => {
      const mte: Field = ['X-MTE-Encode-Type', 'MTE'];
      const { client, exchange } = await begin(open, 'text/event-stream', mte);
      await exchange.write(event('one'));
      const other = await begin(open, 'text/plain');
      await other.client.until('\r\n\r\n');
      expect(await other.client.ended).toBe('reset');
      expect(client.received).toHaveLength(0);

      await exchange.write(`${event('two')}0\r\n\r\n`);

      const text = (await client.until('data: two\n\n')).toString('latin1');
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(text).toContain('data: one\n\n');
    },
  );
});
