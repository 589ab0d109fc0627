import { BLOB_BYTES } from '@relay/protocol';
import { describe, expect, it } from 'vitest';

import { startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  connectRedis,
  openReadyStore,
  pairIn,
  type OpenedStore,
} from '../support/redis/session-store.js';
import { startTap } from '../support/attackers/tap.js';

const start = async (options: Parameters<typeof startRedisServer>[0] = {}) => {
  const server = await startRedisServer(options);
  forThisTest({ close: () => server.stop() });
  return server;
};

const availableAgain = ({ reports }: OpenedStore) => reports.count(reports.items.length + 2);

/** Two sessions with one mark each, of which the snapshot has the sessions but not the marks. */
const restoredFromSnapshot = async () => {
  const server = await start();
  const opened = forThisTest(await openReadyStore(server.url));
  const { store } = opened;
  const sessions = [await pairIn(store), await pairIn(store)] as const;
  const saver = connectRedis(server.url);
  await saver.save();
  await saver.close();
  for (const { sid, head } of sessions) {
    expect(await store.mark(sid, { sequence: 5 }, head)).toBe('first');
  }

  const back = availableAgain(opened);
  await server.kill();
  await start({ port: server.port, dir: server.dir });
  await back;
  return { store, sessions, operator: forThisTest(connectRedis(server.url)) };
};

describe('a Redis that has been restored from a snapshot', () => {
  it('has the sessions without their marks, so it would not recognise a replay', async () => {
    const { sessions, operator } = await restoredFromSnapshot();
    for (const { key } of sessions) {
      expect(await operator.strlen(key)).toBe(BLOB_BYTES);
      expect(await operator.getbit(key, BLOB_BYTES * 8 + 5)).toBe(0);
    }
  });

  it('refuses and kills those sessions, on OPEN as well as on MARK', async () => {
    const { store, sessions, operator } = await restoredFromSnapshot();
    const [opened, marked] = sessions;
    expect(await store.open(opened.sid)).toBeUndefined();
    expect(await store.mark(marked.sid, { sequence: 5 }, marked.head)).toBe('dead');
    expect(await operator.mget(opened.key, marked.key)).toEqual(['x', 'x']);
    expect(await store.reserve(opened.sid)).toBeUndefined();
  });

  it('does not accept a session for an id that was reserved before the restore', async () => {
    const server = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    const epoch = await opened.store.reserve('reserved');
    const saver = connectRedis(server.url);
    await saver.save();
    await saver.close();
    const back = availableAgain(opened);
    await server.kill();
    await start({ port: server.port, dir: server.dir });
    await back;
    const blob = Buffer.alloc(BLOB_BYTES, epoch);
    expect(await opened.store.put('reserved', blob)).toBe(false);
    expect(await opened.store.reserve('new')).not.toBe(epoch);
  });
});

describe('a replica that has been promoted', () => {
  it('has the sessions of its primary, and refuses and kills them', async () => {
    const primary = await start({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await start();
    const { store } = forThisTest(await openReadyStore(primary.url));
    const { sid, key } = await pairIn(store);
    const operator = forThisTest(connectRedis(replica.url));
    await operator.replicaof('127.0.0.1', primary.port);
    await expect.poll(() => operator.strlen(key), { timeout: 15_000 }).toBe(BLOB_BYTES);

    await operator.replicaof('NO', 'ONE');
    const promoted = forThisTest(await openReadyStore(replica.url));
    expect(await promoted.store.open(sid)).toBeUndefined();
    expect(await operator.get(key)).toBe('x');
  });
});

describe('a Redis that reports no master_replid', () => {
  it('is used with an epoch of zeros, and with a warning', async () => {
    const server = await start();
    const tap = forThisTest(await startTap(server.port));
    // The name is changed both in the scripts on their way to Redis and in the reply to INFO.
    tap.alter((chunk) =>
      Buffer.from(chunk.toString('latin1').replaceAll('master_replid', 'master_REPLID'), 'latin1'),
    );
    const { store, health } = forThisTest(await openReadyStore(tap.url.replace('http', 'redis')));
    const { sid, blob, head } = await pairIn(store);
    expect(blob.toString('latin1', 0, 40)).toBe('0'.repeat(40));
    expect(await store.open(sid)).toEqual(blob);
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('replay');
    const { warnings } = await health.describe();
    expect(warnings).toEqual([expect.stringContaining('master_replid')]);
  });
});
