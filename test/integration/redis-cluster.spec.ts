import { SessionStoreUnavailableError } from '@relay/session';
import { beforeAll, describe, expect, it } from 'vitest';

// eslint-disable-next-line no-restricted-imports -- a shared test suite, which the library's index.ts does not export
import { describeSessionStore } from '../../libs/session/src/session-store.contract.js';
import { redisCli, startRedisCluster, type RedisCluster } from '../support/redis/redis-cluster.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  immediateError,
  openReadyStore,
  openStore,
  pairIn,
  timed,
  type OpenedStore,
} from '../support/redis/session-store.js';
import { startTap } from '../support/attackers/tap.js';

/**
 * A command fails after 800 ms, or sooner if its connection is lost. The rest is for a slow machine, and ends below the
 * time limit for connecting, 2 s, which no command may wait for.
 */
const FAILURE_LIMIT_MS = 1800;
const RECOVERY_LIMIT_MS = 15_000;

const share = sharedResources();

describe('a cluster', () => {
  let cluster: RedisCluster;
  let opened: OpenedStore;
  let second: OpenedStore;

  beforeAll(async () => {
    cluster = share(await startRedisCluster());
    opened = share(await openReadyStore(cluster.url));
    second = share(await openReadyStore(cluster.url));
  }, 30_000);

  describeSessionStore(() => ({
    store: opened.store,
    second: second.store,
    forgetAll: async () => {
      await Promise.all(cluster.nodes.map(({ port }) => redisCli(port, 'FLUSHALL')));
    },
  }));
});

/** Three nodes, each of which goes on serving when others are down. */
const startParts = async () => {
  const cluster = forThisTest(await startRedisCluster({ isWhole: false }));
  return { cluster, opened: forThisTest(await openReadyStore(cluster.url)) };
};

/** A live session on each node. */
const pairOnEach = async ({ nodes }: RedisCluster, { store }: OpenedStore) => {
  const sessions = new Map<number, Awaited<ReturnType<typeof pairIn>>>();
  while (sessions.size < nodes.length) {
    const session = await pairIn(store);
    for (const { port } of nodes) {
      if ((await redisCli(port, 'EXISTS', session.key)) === '1') {
        sessions.set(port, session);
      }
    }
  }
  return nodes.map((node) => ({ node, session: sessions.get(node.port)! }));
};

describe('a node of a cluster', { timeout: 60_000 }, () => {
  it('causes errors for its sessions when it dies, never absent ones, and the others go on serving', async () => {
    const { cluster, opened } = await startParts();
    const [lost, ...others] = await pairOnEach(cluster, opened);
    await lost!.node.kill();

    const deadline = Date.now() + 3000;
    while (Date.now() < deadline) {
      const { sid, head } = lost!.session;
      const outcomes = await Promise.all([
        timed(opened.store.open(sid)),
        timed(opened.store.mark(sid, { sequence: 1 }, head)),
      ]);
      for (const { error, ms } of outcomes) {
        expect(error).toBeInstanceOf(SessionStoreUnavailableError);
        expect(ms).toBeLessThan(FAILURE_LIMIT_MS);
      }
    }
    for (const { session } of others) {
      expect(await opened.store.mark(session.sid, { sequence: 1 }, session.head)).toBe('first');
    }
  });

  it('has lost its sessions when it comes back, and accepts new ones', async () => {
    const { cluster, opened } = await startParts();
    const [lost] = await pairOnEach(cluster, opened);
    await lost!.node.kill();
    await expect(opened.store.open(lost!.session.sid)).rejects.toThrow();
    await cluster.restart(lost!.node);
    await expect
      .poll(() => opened.store.open(lost!.session.sid).catch(() => 'failed'), {
        timeout: RECOVERY_LIMIT_MS,
      })
      .toBeUndefined();
    await pairOnEach(cluster, opened);
  });
});

describe('a MARK in a cluster whose reply is lost', { timeout: 60_000 }, () => {
  it('is an error and is never sent again, although it consumed its sequence number', async () => {
    const cluster = forThisTest(await startRedisCluster());
    const ports = cluster.nodes.map(({ port }) => port);
    const taps = await Promise.all(ports.map(async (port) => forThisTest(await startTap(port))));
    for (const [at, tap] of taps.entries()) {
      await redisCli(ports[at]!, 'CONFIG', 'SET', 'cluster-announce-port', String(tap.port));
    }
    const isAnnounced = async (port: number): Promise<boolean> => {
      const slots = await redisCli(port, 'CLUSTER', 'SLOTS');
      return taps.every((tap) => slots.split('\n').includes(String(tap.port)));
    };
    const areAnnounced = () => Promise.all(ports.map(isAnnounced));
    await expect.poll(areAnnounced, { timeout: RECOVERY_LIMIT_MS }).toEqual([true, true, true]);
    const url = `redis+cluster://127.0.0.1:${taps[0]!.port}`;
    const { store } = forThisTest(await openReadyStore(url));
    const { sid, head } = await pairIn(store);
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');

    for (const tap of taps) {
      tap.alter((chunk, from, connection) => {
        const isScriptReply = from === 'far' && chunk.equals(Buffer.from(':0\r\n'));
        if (isScriptReply) {
          connection.cut();
        }
        return isScriptReply ? undefined : chunk;
      });
    }
    await expect(store.mark(sid, { sequence: 2 }, head)).rejects.toBeInstanceOf(
      SessionStoreUnavailableError,
    );
    for (const tap of taps) {
      tap.alter(undefined);
    }
    await expect
      .poll(() => store.mark(sid, { sequence: 2 }, head).catch(() => 'failed'), {
        timeout: RECOVERY_LIMIT_MS,
      })
      .toBe('replay');
  });
});

describe('a slot of a cluster that is moved', { timeout: 60_000 }, () => {
  it('is followed at every stage, and its sessions end', async () => {
    const { cluster, opened } = await startParts();
    const { store } = opened;
    const [source, target] = await pairOnEach(cluster, opened);
    const { session } = source!;
    const slot = await redisCli(source!.node.port, 'CLUSTER', 'KEYSLOT', session.key);
    const ids = await Promise.all(
      [source!, target!].map(({ node }) => redisCli(node.port, 'CLUSTER', 'MYID')),
    );
    const ports = [source!.node.port, target!.node.port] as const;
    await redisCli(ports[1], 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[0]!);
    await redisCli(ports[0], 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[1]!);
    expect(await store.mark(session.sid, { sequence: 1 }, session.head)).toBe('first');

    await redisCli(
      ...([ports[0], 'MIGRATE', '127.0.0.1', String(ports[1]), session.key, '0', '5000'] as const),
    );
    // The target has the key, but the source still has the slot: Redis replies ASK.
    expect(await store.mark(session.sid, { sequence: 1 }, session.head)).toBe('dead');

    for (const port of [ports[1], ports[0]]) {
      await redisCli(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', ids[1]!);
    }
    // From now on, Redis replies MOVED.
    expect(await store.open(session.sid)).toBeUndefined();
    expect(await store.reserve(session.sid)).toBeUndefined();
  });
});

describe('an unreachable cluster', { timeout: 60_000 }, () => {
  it('is found when it starts after the relay, and its absence is reported once', async () => {
    const first = await startRedisCluster();
    await first.close();
    const opened = forThisTest(await openStore(first.url));
    const report = await opened.reports.find();
    expect(report.state === 'unavailable' && report.error.message).toContain('ECONNREFUSED');
    const error = await immediateError(opened.store.open('a'));
    expect(error).toBeInstanceOf(SessionStoreUnavailableError);
    forThisTest(await startRedisCluster({ ports: first.nodes.map(({ port }) => port) }));
    await opened.reports.count(2);
    await pairIn(opened.store);
  });

  it('fails operations quickly if it dies during traffic, and serves again when it is back', async () => {
    const cluster = forThisTest(await startRedisCluster());
    const opened = forThisTest(await openReadyStore(cluster.url));
    const { sid } = await pairIn(opened.store);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    const { error, ms } = await timed(opened.store.open(sid));
    expect(error).toBeInstanceOf(SessionStoreUnavailableError);
    expect(ms).toBeLessThan(FAILURE_LIMIT_MS);
    await opened.reports.count(2);
    await Promise.all(cluster.nodes.map((node) => cluster.restart(node)));
    await opened.reports.count(3, RECOVERY_LIMIT_MS);
    await pairIn(opened.store);
  });
});
