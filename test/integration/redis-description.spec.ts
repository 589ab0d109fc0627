import { describe, expect, it } from 'vitest';

import { redisCli, startRedisCluster } from '../support/redis/redis-cluster.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { connectRedis, openReadyStore } from '../support/redis/session-store.js';
import { startTap } from '../support/attackers/tap.js';

const start = async (...args: string[]) => {
  const server = await startRedisServer({ args });
  // Servers with snapshots would write one on an orderly stop.
  forThisTest({ close: () => server.stop() });
  forThisTest({ close: () => server.kill() });
  return server;
};

const describeWith = async (...args: string[]) => {
  const { url } = await start(...args);
  return forThisTest(await openReadyStore(url)).health.describe();
};

describe('the description of a Redis', () => {
  it('contains its version and settings, without a warning if they are as recommended', async () => {
    const description = await describeWith();
    expect(description).toEqual({
      version: expect.stringMatching(/^(redis|valkey) \d+\.\d+\.\d+/) as string,
      role: 'primary',
      persistence: 'off',
      evictionPolicy: 'noeviction',
      warnings: [],
    });
  });

  it('is part of the report that Redis is available', async () => {
    const { url } = await start('--maxmemory-policy', 'allkeys-lru');
    const { health, reports } = forThisTest(await openReadyStore(url));
    expect(reports.items).toEqual([{ state: 'available', description: await health.describe() }]);
  });

  it.each([
    ['snapshots', ['--save', '3600 1'], 'rdb'],
    ['a log of all writes', ['--appendonly', 'yes'], 'aof'],
    ['both', ['--save', '3600 1', '--appendonly', 'yes'], 'rdb and aof'],
  ])('warns of %s, because sessions are then on disk', async (_, args, persistence) => {
    const description = await describeWith(...args);
    expect(description.persistence).toBe(persistence);
    expect(description.warnings).toEqual([
      expect.stringContaining(`writes sessions to disk (${persistence})`),
    ]);
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('warns of eviction (%s)', async (policy) => {
    const description = await describeWith('--maxmemory-policy', policy);
    expect(description.evictionPolicy).toBe(policy);
    expect(description.warnings).toEqual([expect.stringContaining(policy)]);
  });

  it('warns of a replica', async () => {
    const primary = await start();
    const { url } = await start();
    const { health } = forThisTest(await openReadyStore(url));
    await forThisTest(connectRedis(url)).replicaof('127.0.0.1', primary.port);
    expect(await health.describe()).toMatchObject({
      role: 'replica',
      warnings: [expect.stringContaining('replica')],
    });
  });

  it('warns of a version that is too old', async () => {
    const server = await start();
    const tap = forThisTest(await startTap(server.port));
    tap.alter((chunk) =>
      Buffer.from(
        chunk.toString('latin1').replace(/((?:redis|valkey)_version):\d/g, '$1:5'),
        'latin1',
      ),
    );
    const { health } = forThisTest(await openReadyStore(tap.url.replace('http', 'redis')));
    expect((await health.describe()).warnings).toEqual([expect.stringContaining('older than 6.2')]);
  });

  it('covers every primary of a cluster, and warns of settings that only one of them has', async () => {
    const cluster = forThisTest(await startRedisCluster());
    const [, second] = cluster.nodes;
    await redisCli(second!.port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    const { health } = forThisTest(await openReadyStore(cluster.url));
    const { evictionPolicy, role, warnings } = await health.describe();
    expect(role).toBe('primary');
    expect(evictionPolicy.split(', ').sort()).toEqual(['allkeys-lfu', 'noeviction']);
    expect(warnings).toEqual([
      expect.stringContaining('allkeys-lfu'),
      expect.stringContaining('cluster'),
    ]);
  }, 30_000);
});
