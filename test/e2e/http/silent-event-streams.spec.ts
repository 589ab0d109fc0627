import { beforeAll, describe, expect, it } from 'vitest';

import { headBytes } from '../../support/network/raw-http.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import type { ScriptedExchange } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startRawTunnel({
      both: { IDLE_TIMEOUT_MS: '300' },
      inbound: { PASS_THROUGH_ROUTES: '/*' },
    }),
  );
});

const WAYS: Readonly<Record<string, () => RawSocket>> = {
  'through the tunnel': () => {
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('GET /events HTTP/1.1'));
    return client;
  },
  'on a pass-through route': () => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes('GET /events HTTP/1.1', [['Host', 'a']]));
    return client;
  },
};

async function begin(open: () => RawSocket, type: string) {
  const begun = new Promise<ScriptedExchange>((resolve) => {
    tunnel.upstream.follow(async (exchange) => {
      await exchange.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n\r\n`);
      resolve(exchange);
    });
  });
  const client = open();
  return { client, exchange: await begun };
}

describe.each(Object.entries(WAYS))('an event stream %s', (_way, open) => {
  it.each(['text/event-stream', 'Text/Event-Stream;charset=utf-8', 'TEXT/EVENT-STREAM'])(
    'of type %s survives a silence that ends any other response',
    async (type) => {
      const silent = await begin(open, type);
      await silent.client.until('\r\n\r\n');
      const other = await begin(open, 'text/plain');
      expect(await other.client.ended).toBe('reset');

      silent.exchange.socket.write('data: late\n\n');

      const end = await Promise.race([silent.client.until('data: late\n\n'), silent.client.ended]);
      expect(end.toString()).toContain('data: late\n\n');
    },
  );

  it('of a type that only begins with text/event-stream does not survive a silence', async () => {
    const { client } = await begin(open, 'text/event-stream-like');

    expect(await client.ended).toBe('reset');
  });
});
