import { once } from 'node:events';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';

import { openRaw, openWebSocket, statusOfRefused } from '../support/clients/upgrade-clients.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { RawSocket } from '../support/network/raw-socket.js';
import type { RelayProcess } from '../support/processes/relay-process.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import {
  startUpgradeProcesses,
  upgradedIn,
  type UpgradeProcesses,
  type UpgradeProcessOptions,
} from '../support/tunnels/upgrade-processes.js';
import { startUpgradeProcess } from '../support/upstreams/upgrade-process.js';
import { closeCodeOf } from '../support/upstreams/upgrade-upstream.js';

const TICK_MS = 10;
/** More than Node.js reads ahead, and less than waits for a slow consumer. */
const UNREAD_BYTES = 1_000_000;
const LATE = { timeout: 60_000 };

/** Sends without an end, so that every connection is in mid-stream. */
const ticking = {
  onWebSocket: (socket: WebSocket) => {
    const timer = setInterval(() => {
      socket.send('tick');
    }, TICK_MS);
    socket.once('close', () => {
      clearInterval(timer);
    });
  },
  onRaw: (socket: Socket) => {
    const timer = setInterval(() => socket.write('tick'), TICK_MS);
    socket.once('close', () => {
      clearInterval(timer);
    });
  },
};

const start = async (options: UpgradeProcessOptions) =>
  forThisTest(await startUpgradeProcesses(options));

/** Clients in the middle of what they receive. */
const openBoth = async ({ outbound, clientHeaders }: UpgradeProcesses) => {
  const webSocket = forThisTest(await openWebSocket(outbound.url, clientHeaders));
  const raw = forThisTest(await openRaw(outbound, clientHeaders));
  await Promise.all([once(webSocket.socket, 'message'), raw.until('tick')]);
  return { webSocket, raw };
};

/** The codes with which the upgraded connections of a relay ended. */
const endCodes = ({ log }: RelayProcess) =>
  log.items.filter(({ msg }) => msg === 'upgraded connection ended').map(({ code }) => code);

describe('an upgraded connection in mid-stream', () => {
  it('is reset at the client when relay B is killed', async () => {
    const relays = await start({ behaviour: ticking });
    const { webSocket, raw } = await openBoth(relays);

    await relays.inbound.kill();

    expect(await webSocket.ended).toMatchObject({ code: 1006 });
    expect(await raw.ended).toBe('reset');
    await expect.poll(() => upgradedIn(relays.outbound, 'outbound'), LATE).toBe(0);
    await expect
      .poll(() => endCodes(relays.outbound), LATE)
      .toEqual(['RELAY_PEER_CONNECTION_LOST', 'RELAY_PEER_CONNECTION_LOST']);
  });

  it('is reset at the API when relay A is killed', async () => {
    const relays = await start({ behaviour: ticking });
    const { webSocket } = await openBoth(relays);
    const [atApi] = await relays.upstream.webSockets.count(1);
    const [socket] = await relays.upstream.rawSockets.count(1);
    const rawAtApi = new RawSocket(socket!);
    const closed = closeCodeOf(atApi!);

    await relays.outbound.kill();

    expect(await closed).toBe(1006);
    expect(await rawAtApi.ended).toBe('reset');
    // The system itself closes the client's connection, with the process.
    expect(await webSocket.ended).toMatchObject({ code: 1006 });
    await expect.poll(() => upgradedIn(relays.inbound, 'inbound'), LATE).toBe(0);
    await expect
      .poll(() => endCodes(relays.inbound), LATE)
      .toEqual(['RELAY_PEER_GONE', 'RELAY_PEER_GONE']);
  });

  it('is reset at the client when the API is killed', async () => {
    const api = forThisTest(await startUpgradeProcess());
    const relays = await start({ inbound: { UPSTREAM: api.url } });
    const { webSocket, raw } = await openBoth(relays);
    // What the API has not read makes the system reset its connection. Without that, it would end it in order.
    raw.write(Buffer.alloc(UNREAD_BYTES));
    const before = raw.received.length;
    await expect.poll(() => raw.received.length, LATE).toBeGreaterThan(before + 400);

    await api.close();

    expect(await webSocket.ended).toMatchObject({ code: 1006 });
    expect(await raw.ended).toBe('reset');
    await expect.poll(() => upgradedIn(relays.inbound, 'inbound'), LATE).toBe(0);
    await expect.poll(() => upgradedIn(relays.outbound, 'outbound'), LATE).toBe(0);
    await expect.poll(() => endCodes(relays.inbound), LATE).toContain('RELAY_UPSTREAM_FAILED');
  });
});

it('WebSockets go on when Redis is killed, and new ones are opened when it is back', async () => {
  const redis = await startRedisServer();
  const servers = [redis];
  forThisTest({
    close: async () => {
      for (const server of servers.reverse()) {
        await server.stop();
      }
    },
  });
  const { outbound, clientHeaders } = await start({ inbound: { REDIS_URL: redis.url } });
  const open = async () => forThisTest(await openWebSocket(outbound.url, clientHeaders));
  const webSockets = await Promise.all([open(), open(), open()]);

  await redis.kill();

  const status = await statusOfRefused(outbound.url, clientHeaders);
  expect(status).toBe(503);
  for (const { echo } of webSockets) {
    expect(await echo('still there')).toBe('still there');
  }
  servers.push(await startRedisServer({ port: redis.port }));
  await expect
    .poll(
      () =>
        open().then(
          ({ echo }) => echo('new'),
          () => 'refused',
        ),
      LATE,
    )
    .toBe('new');
  for (const { echo } of webSockets) {
    expect(await echo('still there')).toBe('still there');
  }
});
