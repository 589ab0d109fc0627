import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';
import type { SessionStore } from '@relay/session';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';

// eslint-disable-next-line no-restricted-imports -- a shared test suite, which the library's index.ts does not export
import { describeSessionStore } from '../../libs/session/src/session-store.contract.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { connectRedis, openReadyStore, pairIn } from '../support/redis/session-store.js';

const LIFETIME_MS = 300_000;

const share = sharedResources();
let url: string;
let store: SessionStore;
let second: SessionStore;
let redis: Redis;

beforeAll(async () => {
  const server = await startRedisServer();
  share({ close: () => server.stop() });
  ({ url } = server);
  const environment = { SESSION_LIFETIME_SECONDS: String(LIFETIME_MS / 1000) };
  ({ store } = share(await openReadyStore(url, environment)));
  ({ store: second } = share(await openReadyStore(url, environment)));
  redis = share(connectRedis(url));
});

describeSessionStore(() => ({
  store,
  second,
  forgetAll: async () => {
    await redis.flushall();
  },
}));

const keyOf = (sid: string): string => `mte:s:${sid}`;

describe('a session in Redis', () => {
  it('is one string under the prefix: the blob, followed by one bit for each message', async () => {
    await redis.flushall();
    const { sid, key, blob, head } = await pairIn(store);
    await store.mark(sid, { sequence: 1 }, head);
    await store.mark(sid, { sequence: 12 }, head);

    expect(await redis.keys('*')).toEqual([key]);
    expect(await redis.getBuffer(key)).toEqual(Buffer.concat([blob, Buffer.of(0x40, 0x08)]));
  });

  it('has its bits at 1312 + sequence, and takes up 128 KiB with the last one', async () => {
    const { sid, key, head } = await pairIn(store);
    await store.mark(sid, { sequence: 2 ** 20 - 1 }, head);
    expect(await redis.getbit(key, 1312 + 2 ** 20 - 1)).toBe(1);
    expect(await redis.strlen(key)).toBe(BLOB_BYTES + 2 ** 17);
    await store.mark(sid, { sequence: 1 }, head);
    expect(await redis.getbit(key, 1313)).toBe(1);
  });

  it('has both bits set by a message that replaces another', async () => {
    const { sid, key, blob, head } = await pairIn(store);
    await store.mark(sid, { sequence: 12, replaces: 1 }, head);
    expect(await redis.getBuffer(key)).toEqual(Buffer.concat([blob, Buffer.of(0x40, 0x08)]));
  });

  it('is "r" while it is reserved and "x" when it is dead', async () => {
    const sid = 'reserved';
    await store.reserve(sid);
    expect(await redis.get(keyOf(sid))).toBe('r');
    await store.kill(sid);
    expect(await redis.get(keyOf(sid))).toBe('x');

    for (const kill of [
      (it: { sid: string }) => store.kill(it.sid),
      (it: { sid: string; head: Buffer }) =>
        store.mark(it.sid, { sequence: 1 }, Buffer.from(it.head).fill(1, 44)),
    ]) {
      const session = await pairIn(store);
      await store.mark(session.sid, { sequence: 9 }, session.head);
      await kill(session);
      expect(await redis.get(session.key)).toBe('x');
    }
  });

  it('has the epoch that INFO replication reports', async () => {
    const [, epoch] = /^master_replid:(\w+)/m.exec(await redis.info('replication')) ?? [];
    expect(await store.reserve('epoch')).toBe(epoch);
  });

  it('is an error, not absent, if its key is not a string', async () => {
    await redis.hset(keyOf('hash'), 'a', 'b');
    await expect(store.open('hash')).rejects.toMatchObject({ code: 'RELAY_STORE_UNAVAILABLE' });
    await expect(store.mark('hash', { sequence: 1 }, Buffer.alloc(56))).rejects.toMatchObject({
      code: 'RELAY_STORE_UNAVAILABLE',
    });
  });
});

describe('the lifetime of an entry', () => {
  const ttl = (key: string) => redis.pttl(key);
  const isWhole = (ms: number): boolean => ms > LIFETIME_MS - 5000 && ms <= LIFETIME_MS;

  it('begins with RESERVE, and nothing extends it while the session lives', async () => {
    const sid = 'a-life';
    const epoch = (await store.reserve(sid)) ?? '';
    expect(await ttl(keyOf(sid))).toSatisfy(isWhole);
    const cutMs = 60_000;
    await redis.pexpire(keyOf(sid), cutMs);
    const isCut = (ms: number): boolean => ms > 0 && ms <= cutMs;

    const blob = Buffer.concat([Buffer.from(epoch), Buffer.alloc(BLOB_BYTES - EPOCH_BYTES)]);
    await store.put(sid, blob);
    expect(await ttl(keyOf(sid))).toSatisfy(isCut);
    await store.open(sid);
    expect(await ttl(keyOf(sid))).toSatisfy(isCut);
    const head = blob.subarray(0, BLOB_HEAD_BYTES);
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('replay');
    expect(await store.mark(sid, { sequence: 2 ** 20 - 1, replaces: 2 }, head)).toBe('first');
    expect(await ttl(keyOf(sid))).toSatisfy(isCut);
  });

  it('begins again with each kill, whichever operation has killed the session', async () => {
    const head = Buffer.alloc(BLOB_HEAD_BYTES);
    const kills = [
      (sid: string) => store.kill(sid),
      (sid: string) => store.open(sid),
      (sid: string) => store.mark(sid, { sequence: 1 }, head),
    ];
    for (const [at, kill] of kills.entries()) {
      const sid = `dead-${at}`;
      await redis.set(keyOf(sid), 'r', 'PX', 1000);
      await kill(sid);
      expect(await ttl(keyOf(sid))).toSatisfy(isWhole);
    }
  });

  it('ends without a command, and the id is free again', async () => {
    const { sid, key } = await pairIn(store);
    await redis.pexpire(key, 1);
    await expect.poll(() => redis.exists(key)).toBe(0);
    expect(await store.reserve(sid)).toMatch(/^\w{40}$/);
  });
});

describe('the scripts', () => {
  it('are known again after SCRIPT FLUSH, without an error and without a second execution', async () => {
    const { sid, head } = await pairIn(store);
    for (let sequence = 1; sequence <= 3; sequence += 1) {
      await redis.script('FLUSH');
      expect(await store.mark(sid, { sequence }, head)).toBe('first');
    }
    await redis.script('FLUSH');
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () => store.mark(sid, { sequence: 4 }, head)),
    );
    expect(outcomes.filter((outcome) => outcome === 'first')).toHaveLength(1);
    await redis.script('FLUSH');
    expect(await store.open(sid)).toHaveLength(BLOB_BYTES);
  });

  it('are sent as a hash once Redis knows them', async () => {
    const { sid, head } = await pairIn(store);
    await store.mark(sid, { sequence: 1 }, head);
    const calls = async (command: string): Promise<number> => {
      const stats = await redis.info('commandstats');
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };
    const [evals, hashes] = [await calls('eval'), await calls('evalsha')];
    for (let sequence = 2; sequence <= 21; sequence += 1) {
      await store.mark(sid, { sequence }, head);
    }
    expect(await calls('eval')).toBe(evals);
    expect(await calls('evalsha')).toBe(hashes + 20);
  });
});

it('two relays with different prefixes share a Redis without sharing a session', async () => {
  const other = await openReadyStore(url, { REDIS_PREFIX: 'other.relay:' });
  try {
    const { sid } = await pairIn(store);
    expect(await other.store.reserve(sid)).toMatch(/^\w{40}$/);
    expect(await redis.exists(`other.relay:s:${sid}`)).toBe(1);
  } finally {
    await other.close();
  }
});
