import { once } from 'node:events';

import { Clock } from '@relay/clock';
import { describe, expect, it, vi } from 'vitest';

import { ChannelConnection } from '../../../apps/relay/src/channels/channel-connection.js';
import { openWebSocket } from '../../support/clients/upgrade-clients.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { startRelay } from '../../support/relays/relay.js';
import { handMovedChecks } from '../../support/time/hand-moved-checks.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { UPGRADES } from '../../support/tunnels/upgrade-processes.js';
import { startUpgradeUpstream } from '../../support/upstreams/upgrade-upstream.js';

const HOUR_MS = 3_600_000;
const SESSION_MS = 300_000;
const LIMITS = {
  ...UPGRADES,
  IDLE_TIMEOUT_MS: '200',
  RESPONSE_TIMEOUT_MS: '300',
  CHANNEL_LIFETIME_SECONDS: '10',
  SESSION_LIFETIME_SECONDS: String(SESSION_MS / 1000),
};

/** Two relays with low limits, which go by a clock that the test moves. */
const start = async () => {
  const check = handMovedChecks();
  const clock = new HandMovedClock();
  const upstream = forThisTest(await startUpgradeUpstream());
  const relay = async (environment = {}) =>
    forThisTest(
      await startRelay({ ...LIMITS, ...environment }, (builder) =>
        builder.overrideProvider(Clock).useValue(clock),
      ),
    );
  const inbound = await relay({ UPSTREAM: upstream.url });
  const outbound = await relay();
  const client = tunnelClient(outbound.url, inbound.url);
  const looked = vi.spyOn(ChannelConnection.prototype, 'check');
  return {
    ...client,
    clock,
    check,
    upstream,
    outbound,
    open: async (options = {}) =>
      forThisTest(await openWebSocket(outbound.url, client.clientHeaders, '/', options)),
    /** Lets time pass for both relays, each of which looks at its channel three times. */
    pass: async (ms: number): Promise<void> => {
      clock.advance(ms);
      const before = looked.mock.calls.length;
      for (let count = 0; count < 3; count += 1) {
        await check();
      }
      expect(looked.mock.calls.length).toBeGreaterThanOrEqual(before + 6);
    },
  };
};

describe('a silent WebSocket', () => {
  it('outlasts all limits of requests, channels and sessions, and then carries messages both ways', async () => {
    const { open, pass, upstream } = await start();
    const { socket, echo } = await open();

    for (let hours = 0; hours < 3; hours += 1) {
      await pass(HOUR_MS);
    }

    expect(await echo('of the client')).toBe('of the client');
    const received = once(socket, 'message');
    upstream.webSockets.items[0]!.send('of the API');
    expect(String((await received)[0])).toBe('of the API');
  });

  it('is ended by relay B a day after its session has expired, and not before', async () => {
    const { open, pass, clock, check } = await start();
    const { echo, ended } = await open();

    await pass(24 * HOUR_MS);
    expect(await echo('within')).toBe('within');
    clock.advance(SESSION_MS);
    await check();

    expect(await ended).toMatchObject({ code: 1006 });
  });

  it('is not ended by the limit on idle connections of the listener, though its connection was idle before', async () => {
    const { clientHeaders, outbound } = await start();
    Object.assign(outbound.app.getHttpServer(), { keepAliveTimeout: 1_000 });
    const client = forThisTest(openSocket(outbound.port));
    const fields = Object.entries(clientHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
    client.write(`GET / HTTP/1.1\r\nhost: a\r\n${fields.join('')}\r\n`);
    await client.until('no upgrade');
    const upgrade = 'connection: upgrade\r\nupgrade: tcp\r\n';
    client.write(`GET / HTTP/1.1\r\nhost: a\r\n${upgrade}${fields.join('')}\r\n`);
    await client.until(' 101 ');
    const idle = forThisTest(openSocket(outbound.port));
    idle.write('GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n');

    // By then the upgraded connection has been silent for longer than the limit.
    expect(await idle.ended).toBe('end');

    client.write('still there');
    await client.until('still there');
  });
});
