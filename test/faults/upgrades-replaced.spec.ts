import { randomBytes } from 'node:crypto';

import { expect, it } from 'vitest';

import { openWebSocket } from '../support/clients/upgrade-clients.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startBalancer } from '../support/network/balancer.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { Replica } from '../support/processes/replica.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { UPGRADES, upgradedIn } from '../support/tunnels/upgrade-processes.js';
import { tunnelClient } from '../support/tunnels/tunnel-client.js';
import { startUpgradeUpstream } from '../support/upstreams/upgrade-upstream.js';

const WEB_SOCKETS = 200;
const LATE = { timeout: 120_000, interval: 250 };

/** Three inbound relays behind a load balancer, and the outbound relay that calls it. */
const start = async () => {
  const redis = await startRedisServer();
  forThisTest({ close: () => redis.stop() });
  const upstream = forThisTest(await startUpgradeUpstream());
  const environment = { ...UPGRADES, CLIENT_ID_SECRET: randomBytes(32).toString('base64url') };
  const balancer = forThisTest(await startBalancer());
  const inbound = ['B1', 'B2', 'B3'].map(
    (name) =>
      new Replica(name, {
        ...environment,
        UPSTREAM: upstream.url,
        REDIS_URL: redis.url,
        SHUTDOWN_TIMEOUT_MS: '500',
      }),
  );
  for (const replica of inbound) {
    forThisTest(replica);
    await replica.start();
    replica.serveBehind(balancer);
  }
  const outbound = forThisTest(await startRelayProcess(environment));
  return { upstream, outbound, inbound, ...tunnelClient(outbound.url, balancer.url) };
};

it('a WebSocket is ended once when its relay B is replaced, not when another is, and its client opens it again', async () => {
  const { upstream, outbound, inbound, clientHeaders } = await start();
  /** The close code of every WebSocket that ended. */
  const codes: number[] = [];
  let isOver = false;
  /** As clients do, until it succeeds: a busy machine may not accept all of them in time. */
  const open = async (): Promise<void> => {
    for (;;) {
      const client = await openWebSocket(outbound.url, clientHeaders).catch((error: unknown) => {
        if (isOver || String(error).endsWith(' 504')) {
          return undefined;
        }
        throw error;
      });
      if (client !== undefined) {
        void client.ended.then(({ code }) => {
          codes.push(code);
          return isOver ? undefined : open();
        });
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: WEB_SOCKETS }, open));

  for (const replica of inbound) {
    const before = codes.length;
    const old = replica.relay;
    const carried = (await upgradedIn(old, 'inbound'))!;
    expect(carried).toBeGreaterThan(0);

    await replica.replace();
    await replica.settled();

    await expect.poll(() => upgradedIn(outbound, 'outbound'), LATE).toBe(WEB_SOCKETS);
    await expect.poll(() => upstream.sockets.count, LATE).toBe(WEB_SOCKETS);
    expect(codes.length - before).toBe(carried);
    expect(old.log.items.map(({ msg }) => msg)).toContain(
      `${carried} upgraded connections were cut off by SHUTDOWN_TIMEOUT_MS`,
    );
  }

  expect(codes).toEqual(codes.map(() => 1006));
  expect(inbound.flatMap(({ badEnds }) => badEnds)).toEqual([]);
  isOver = true;
});
