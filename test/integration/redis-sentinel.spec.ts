import { SessionStoreUnavailableError } from '@relay/session';
import { describe, expect, it } from 'vitest';

import {
  sentinelPorts,
  sentinelUrl,
  startRedisSentinels,
  type RedisSentinelsOptions,
} from '../support/redis/redis-sentinels.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  connectRedis,
  openReadyStore,
  openStore,
  pairIn,
  timed,
} from '../support/redis/session-store.js';

/** The sentinels need a second or two to notice and to agree; the rest is for the store and a slow machine. */
const FAILOVER_LIMIT_MS = 15_000;
/** The store must not wait for a healthy primary to learn that it has been replaced, which takes 10 s. */
const SWITCH_LIMIT_MS = 8000;
/**
 * A command fails after 800 ms, or sooner if its connection is lost. The rest is for a slow machine, and ends below the
 * time limit for connecting, 2 s, which no command may wait for.
 */
const FAILURE_LIMIT_MS = 1800;

const start = async (...args: string[]) => {
  const server = await startRedisServer({ args: ['--repl-diskless-sync-delay', '0', ...args] });
  forThisTest({ close: () => server.stop() });
  return server;
};

/** A primary with a replica, watched by three sentinels. */
const startWatched = async (options: RedisSentinelsOptions = {}) => {
  const primary = await start();
  const replica = await start('--replicaof', `127.0.0.1 ${primary.port}`);
  const sentinels = forThisTest(await startRedisSentinels(primary.port, options));
  return { primary, replica, sentinels };
};

describe('a primary that sentinels watch', { timeout: 60_000 }, () => {
  it('is found through the sentinels, in the database that the URL names', async () => {
    const { primary, sentinels } = await startWatched();
    const { store } = forThisTest(await openReadyStore(`${sentinels.url}/2`));
    const { key } = await pairIn(store);
    const operator = forThisTest(connectRedis(`${primary.url}/2`));
    expect(await operator.exists(key)).toBe(1);
  });

  it('is found through sentinels that require a password', async () => {
    const { sentinels } = await startWatched({ password: 'of-sentinels' });
    const { store } = forThisTest(
      await openReadyStore(sentinels.url, { REDIS_SENTINEL_PASSWORD: 'of-sentinels' }),
    );
    await pairIn(store);
  });

  it('is replaced when it dies, and its successor accepts none of its sessions', async () => {
    const { primary, replica, sentinels } = await startWatched();
    const opened = forThisTest(await openReadyStore(sentinels.url));
    const { store, reports } = opened;
    const [unknown, marked] = [await pairIn(store), await pairIn(store)];
    const copies = forThisTest(connectRedis(replica.url));
    await expect.poll(() => copies.exists(unknown.key, marked.key), { timeout: 10_000 }).toBe(2);

    await primary.kill();
    const { error, ms } = await timed(store.open(unknown.sid));
    expect(error).toBeInstanceOf(SessionStoreUnavailableError);
    expect(ms).toBeLessThan(FAILURE_LIMIT_MS);
    await reports.count(3, FAILOVER_LIMIT_MS);

    expect(await sentinels.primaryPort()).toBe(replica.port);
    // The copies are there but are refused: nobody knows which marks came too late to be copied.
    expect(await store.open(unknown.sid)).toBeUndefined();
    expect(await store.mark(marked.sid, { sequence: 1 }, marked.head)).toBe('dead');
    expect(await copies.mget(unknown.key, marked.key)).toEqual(['x', 'x']);
    await pairIn(store);
  });

  it('is abandoned for its successor when it hangs, even if it wakes up later', async () => {
    const { primary, replica, sentinels } = await startWatched();
    const { store, reports } = forThisTest(await openReadyStore(sentinels.url));
    await pairIn(store);
    process.kill(primary.pid, 'SIGSTOP');
    try {
      const { error, ms } = await timed(store.kill('during'));
      expect(error).toBeInstanceOf(SessionStoreUnavailableError);
      expect(ms).toBeLessThan(FAILURE_LIMIT_MS);
      await reports.count(3, FAILOVER_LIMIT_MS);
    } finally {
      process.kill(primary.pid, 'SIGCONT');
    }
    const { key } = await pairIn(store);
    expect(await forThisTest(connectRedis(replica.url)).exists(key)).toBe(1);
  });

  it('is abandoned for its successor when an operator replaces it', async () => {
    const { replica, sentinels } = await startWatched();
    const { store, reports } = forThisTest(await openReadyStore(sentinels.url));
    const old = await pairIn(store);
    await sentinels.failOver();
    await reports.count(3, SWITCH_LIMIT_MS);
    expect(await sentinels.primaryPort()).toBe(replica.port);
    expect(await store.open(old.sid)).toBeUndefined();
    const { key } = await pairIn(store);
    expect(await forThisTest(connectRedis(replica.url)).exists(key)).toBe(1);
  });

  it('is unavailable while no sentinel is running, and is found when they start', async () => {
    const primary = await start();
    await start('--replicaof', `127.0.0.1 ${primary.port}`);
    const ports = await sentinelPorts();
    const opened = forThisTest(await openStore(sentinelUrl(ports)));
    const report = await opened.reports.find();
    expect(report.state === 'unavailable' && report.error.message).toContain('ECONNREFUSED');
    forThisTest(await startRedisSentinels(primary.port, { ports }));
    await opened.reports.count(2);
    await pairIn(opened.store);
  });
});
