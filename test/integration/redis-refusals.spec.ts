import { rmSync } from 'node:fs';

import { SessionStoreUnavailableError, type StoreReport } from '@relay/session';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  connectRedis,
  openReadyStore,
  openStore,
  operationsOn,
  pairIn,
} from '../support/redis/session-store.js';

const RECOVERY_LIMIT_MS = 15_000;

const start = async (...args: string[]) => {
  const server = await startRedisServer({ args: ['--repl-diskless-sync-delay', '0', ...args] });
  forThisTest({ close: () => server.stop() });
  return { server, operator: forThisTest(connectRedis(server.url)) };
};

/** Makes a server the replica of another, and waits until it has all of the other's data. */
const follow = async (operator: Redis, port: number): Promise<void> => {
  await operator.replicaof('127.0.0.1', port);
  await expect
    .poll(() => operator.info('replication'), { timeout: RECOVERY_LIMIT_MS })
    .toContain('master_link_status:up');
};

const errorOf = (report: StoreReport): string =>
  report.state === 'unavailable' ? `${report.error.message}: ${String(report.error.cause)}` : '';

describe('a Redis that has become a read-only replica', () => {
  it('fails every operation that would write, and reports nothing as absent', async () => {
    const primary = await start();
    const { server, operator } = await start();
    const { store, health } = forThisTest(await openReadyStore(server.url));
    const { RESERVE, PUT, MARK, KILL } = operationsOn(store, await pairIn(store));

    await follow(operator, primary.server.port);

    const operations = [
      RESERVE,
      PUT,
      MARK,
      KILL,
      () => store.open('unknown'),
      () => health.check(),
    ];
    for (const operation of operations) {
      await expect(operation!()).rejects.toBeInstanceOf(SessionStoreUnavailableError);
    }
    expect(await operator.keys('*')).toEqual([]);
  });

  it('serves again when it is a primary again', async () => {
    const primary = await start();
    const { server, operator } = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    await follow(operator, primary.server.port);
    await expect(opened.store.kill('a')).rejects.toBeInstanceOf(SessionStoreUnavailableError);
    await opened.reports.find(({ state }) => state === 'unavailable');

    await operator.replicaof('NO', 'ONE');
    await opened.reports.count(3);
    expect(opened.reports.items.map(({ state }) => state)).toEqual([
      'available',
      'unavailable',
      'available',
    ]);
    await pairIn(opened.store);
  });

  it('is reported as unavailable, with the reason, if it is one from the start', async () => {
    const primary = await start();
    const { server, operator } = await start();
    await follow(operator, primary.server.port);
    const opened = forThisTest(await openStore(server.url));
    expect(errorOf(await opened.reports.find())).toContain('READONLY');
  });
});

describe('a primary that is cut off from its replicas, with min-replicas-to-write', () => {
  it('marks, kills and reserves nothing, and reports nothing as absent', async () => {
    const { server, operator } = await start();
    const { store, health } = forThisTest(await openReadyStore(server.url));
    const { RESERVE, MARK, KILL } = operationsOn(store, await pairIn(store));

    await operator.config('SET', 'min-replicas-to-write', '1');

    const unknown = () => store.open('unknown');
    for (const operation of [RESERVE, MARK, KILL, unknown, () => health.check()]) {
      await expect(operation!()).rejects.toBeInstanceOf(SessionStoreUnavailableError);
    }
  });
});

describe('a Redis that is full', () => {
  it('fails operations that need memory with noeviction, and serves again when there is memory', async () => {
    const { server, operator } = await start('--maxmemory-policy', 'noeviction');
    const { store, health } = forThisTest(await openReadyStore(server.url));
    const live = await pairIn(store);
    await operator.config('SET', 'maxmemory', '1');

    for (const operation of [
      () => store.reserve('new'),
      () => store.open('unknown'),
      () => store.mark(live.sid, { sequence: 1 }, live.head),
      () => store.kill(live.sid),
      () => health.check(),
    ]) {
      await expect(operation()).rejects.toMatchObject({
        code: 'RELAY_STORE_UNAVAILABLE',
        cause: expect.objectContaining({
          message: expect.stringContaining('OOM') as string,
        }) as Error,
      });
    }
    await operator.config('SET', 'maxmemory', '0');
    await health.check();
    expect(await store.mark(live.sid, { sequence: 1 }, live.head)).toBe('first');
  });

  it('is reported as unavailable once, and as available again when there is memory', async () => {
    const { server, operator } = await start('--maxmemory-policy', 'noeviction');
    const { store, reports } = forThisTest(await openReadyStore(server.url));
    await operator.config('SET', 'maxmemory', '1');
    for (let count = 0; count < 3; count += 1) {
      await expect(store.reserve('new')).rejects.toMatchObject({ code: 'RELAY_STORE_UNAVAILABLE' });
    }
    expect(errorOf(await reports.find(({ state }) => state === 'unavailable'))).toContain('OOM');
    await operator.config('SET', 'maxmemory', '0');
    await reports.count(3);
    expect(reports.items.map(({ state }) => state)).toEqual([
      'available',
      'unavailable',
      'available',
    ]);
  });

  it('becomes available when there is memory, even if it was full from the start', async () => {
    const { server, operator } = await start(
      '--maxmemory',
      '1',
      '--maxmemory-policy',
      'noeviction',
    );
    const opened = forThisTest(await openStore(server.url));
    expect(errorOf(await opened.reports.find())).toContain('OOM');
    await operator.config('SET', 'maxmemory', '0');
    await opened.reports.find(({ state }) => state === 'available');
    await pairIn(opened.store);
  });

  it('loses entire sessions with an eviction policy: their old messages find them dead', async () => {
    const { server, operator } = await start('--maxmemory-policy', 'volatile-ttl');
    const { store } = forThisTest(await openReadyStore(server.url));
    const live = await pairIn(store);
    expect(await store.open(live.sid)).toEqual(live.blob);
    await operator.pexpire(live.key, 1000);
    await operator.config('SET', 'maxmemory', '1');
    // Every write makes Redis evict sessions until it has enough memory or none is left.
    await operator.set('filler', 'x').catch(() => undefined);
    await operator.config('SET', 'maxmemory', '0');
    expect(await operator.exists(live.key)).toBe(0);
    expect(await store.mark(live.sid, { sequence: 1 }, live.head)).toBe('dead');
    expect(await operator.get(live.key)).toBe('x');
  });
});

describe('a Redis that has been wiped', () => {
  it('knows no session, and kills each one that is asked for', async () => {
    const { server, operator } = await start();
    const { store, reports } = forThisTest(await openReadyStore(server.url));
    const [opened, marked] = [await pairIn(store), await pairIn(store)];
    await operator.flushall();
    expect(await store.open(opened.sid)).toBeUndefined();
    expect(await store.mark(marked.sid, { sequence: 1 }, marked.head)).toBe('dead');
    expect(await operator.mget(opened.key, marked.key)).toEqual(['x', 'x']);
    expect(reports.items).toHaveLength(1);
  });
});

describe('a Redis that refuses writes because it could not save', () => {
  it('fails, and reports nothing as absent', async () => {
    const { server, operator } = await start('--save', '3600 1000000');
    // On an orderly stop, it would insist on saving.
    forThisTest({ close: () => server.kill() });
    const { store } = forThisTest(await openReadyStore(server.url));
    rmSync(server.dir, { recursive: true });
    await operator.bgsave().catch(() => undefined);
    await expect
      .poll(() => operator.info('persistence'), { timeout: RECOVERY_LIMIT_MS })
      .toContain('rdb_last_bgsave_status:err');
    await expect(store.open('unknown')).rejects.toMatchObject({
      code: 'RELAY_STORE_UNAVAILABLE',
      cause: expect.objectContaining({
        message: expect.stringContaining('MISCONF') as string,
      }) as Error,
    });
  });
});
