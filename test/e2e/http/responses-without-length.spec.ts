import { beforeAll, describe, expect, it } from 'vitest';

import { headBytes } from '../../support/network/raw-http.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';

/**
 * A response without a length ends when its connection is closed. A reset is not such an end: what has arrived may be
 * incomplete, and must not be passed on as complete.
 */
const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel({ inbound: { PASS_THROUGH_ROUTES: '/*' } }));
});

const HEADS = {
  'of HTTP/1.1': 'HTTP/1.1 200 OK\r\n\r\npart',
  'with connection: close': 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart',
  'of HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\npart',
};

const WAYS: Readonly<Record<string, (version: string) => RawSocket>> = {
  'through the tunnel': (version) => {
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head(`GET /x HTTP/${version}`));
    return client;
  },
  'on a pass-through route': (version) => {
    const client = forThisTest(openSocket(tunnel.inbound.port));
    client.write(headBytes(`GET /x HTTP/${version}`, [['Host', 'a']]));
    return client;
  },
};

describe.each(Object.entries(WAYS))('an upstream that resets its connection (%s)', (_way, open) => {
  it.each(
    Object.entries(HEADS).flatMap(([name, head]) =>
      ['1.1', '1.0'].map((version) => [name, version, head] as const),
    ),
  )(
    'during a response %s without a length resets the connection of an HTTP/%s client',
    async (_name, version, head) => {
      tunnel.upstream.exchanges.items.length = 0;
      tunnel.upstream.follow(async ({ write }) => {
        await write(head);
      });
      const client = open(version);
      await client.until('part');

      const { socket } = await tunnel.upstream.exchanges.find();
      socket.resetAndDestroy();

      expect(await client.ended).toBe('reset');
      expect(client.received.toString('latin1')).not.toContain('0\r\n\r\n');
    },
  );

  it.each(['1.1', '1.0'])(
    'together with the last bytes ends no response to an HTTP/%s client as if it were complete',
    async (version) => {
      tunnel.upstream.follow(({ socket }) => {
        socket.write(HEADS['with connection: close'], () => socket.resetAndDestroy());
      });
      for (let count = 0; count < 10; count += 1) {
        const client = open(version);
        const ended = await client.ended;
        const isSuccess = client.received.toString('latin1').includes(' 200 ');
        expect(ended === 'reset' || !isSuccess).toBe(true);
      }
    },
  );
});
