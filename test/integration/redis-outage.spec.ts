import { setTimeout as delay } from 'node:timers/promises';

import { BLOB_BYTES, BLOB_HEAD_BYTES } from '@relay/protocol';
import { SessionStoreUnavailableError, type StoreReport } from '@relay/session';
import { describe, expect, it } from 'vitest';

import { type RedisServer, startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  type OpenedStore,
  connectRedis,
  immediateError,
  openReadyStore,
  openStore,
  operationsOn,
  pairIn,
  timed,
} from '../support/redis/session-store.js';

/** The store tries to connect at least once a second. The rest is for a slow machine. */
const RECOVERY_LIMIT_MS = 5000;
/** With such a time limit for commands, an operation that ends within PROMPT_MS did not wait for it. */
const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
/** Below the time limit for connecting, 2 s, and as long as a slow machine may take for what waits for nothing. */
const PROMPT_MS = 1800;

const isAvailable = ({ state }: StoreReport): boolean => state === 'available';

const start = async (
  options: Parameters<typeof startRedisServer>[0] = {},
): Promise<RedisServer> => {
  const server = await startRedisServer(options);
  forThisTest({
    close: async () => {
      // A test may have suspended it.
      await server.kill();
      await server.stop();
    },
  });
  return server;
};

const kill = async (server: RedisServer): Promise<void> => {
  await server.kill();
};

const nextReport = (opened: OpenedStore): Promise<StoreReport> =>
  opened.reports
    .count(opened.reports.items.length + 1, 2 * RECOVERY_LIMIT_MS)
    .then((reports) => reports.at(-1)!);

const expectImmediateRefusal = async (operation: Promise<unknown>): Promise<void> => {
  expect(await immediateError(operation)).toBeInstanceOf(SessionStoreUnavailableError);
};

describe('a store whose Redis is unreachable at the start', () => {
  it('opens nevertheless, fails operations immediately, and becomes available when Redis starts', async () => {
    const gone = await start();
    await gone.stop();
    const opened = forThisTest(await openStore(gone.url, PATIENT));
    const { error } = (await opened.reports.find()) as { error: Error };
    expect(error.message).toContain('ECONNREFUSED');
    for (const operation of Object.values(
      operationsOn(opened.store, {
        sid: 'a',
        key: '',
        blob: Buffer.alloc(BLOB_BYTES),
        head: Buffer.alloc(BLOB_HEAD_BYTES),
      }),
    )) {
      await expectImmediateRefusal(operation());
    }
    await expectImmediateRefusal(opened.health.check());
    await expectImmediateRefusal(opened.health.describe());

    const { port } = gone;
    const back = nextReport(opened);
    await start({ port });
    expect((await timed(back)).ms).toBeLessThan(RECOVERY_LIMIT_MS);
    expect(isAvailable(await back)).toBe(true);
    await opened.health.check();
    await pairIn(opened.store);
  });

  it('reports the outage once, and not at each attempt to connect', async () => {
    const gone = await start();
    await gone.stop();
    const opened = forThisTest(await openStore(gone.url));
    await opened.reports.find();
    // Time for several attempts: what must not happen has no event to wait for.
    await delay(500);
    expect(opened.reports.items).toHaveLength(1);
  });
});

describe('a store whose Redis dies during traffic', () => {
  it('rejects the operations in progress, and is available again when Redis is back', async () => {
    const server = await start();
    const opened = forThisTest(await openReadyStore(server.url, PATIENT));
    const { store } = opened;
    const outcomes: Awaited<ReturnType<typeof timed>>[] = [];
    let isRunning = true;
    let sequence = 0;
    const live = await pairIn(store);
    const traffic = Array.from({ length: 50 }, async () => {
      while (isRunning) {
        sequence += 1;
        outcomes.push(await timed(store.mark(live.sid, { sequence }, live.head)));
        // Clients do not retry immediately.
        await delay(5);
      }
    });

    await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBeGreaterThan(200);
    const lost = nextReport(opened);
    await kill(server);
    expect((await lost).state).toBe('unavailable');
    const back = nextReport(opened);
    await start({ port: server.port });
    expect((await timed(back)).ms).toBeLessThan(RECOVERY_LIMIT_MS);
    isRunning = false;
    await Promise.all(traffic);

    const failures = outcomes.filter(({ error }) => error !== undefined);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.every(({ error }) => error instanceof SessionStoreUnavailableError)).toBe(true);
    expect(Math.max(...outcomes.map(({ ms }) => ms))).toBeLessThan(PROMPT_MS);
    // The new server does not know the session.
    expect(await store.mark(live.sid, { sequence: sequence + 1 }, live.head)).toBe('dead');
    const next = await pairIn(store);
    expect(await store.mark(next.sid, { sequence: 1 }, next.head)).toBe('first');
  });

  it('recovers from one outage after another', async () => {
    let server = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    for (let outage = 0; outage < 3; outage += 1) {
      await pairIn(opened.store);
      const lost = nextReport(opened);
      await kill(server);
      await lost;
      const back = nextReport(opened);
      server = await start({ port: server.port });
      expect(isAvailable(await back)).toBe(true);
    }
    await pairIn(opened.store);
  });

  it('frees the places of all commands that were lost', async () => {
    let server = await start();
    const opened = forThisTest(await openReadyStore(server.url, PATIENT));
    const { store } = opened;
    for (let outage = 0; outage < 3; outage += 1) {
      process.kill(server.pid, 'SIGSTOP');
      const waiting = Array.from({ length: 1000 }, (_, at) => timed(store.open(`sid-${at}`)));
      await expectImmediateRefusal(store.open('one-too-many'));
      await kill(server);
      const settled = await Promise.all(waiting);
      expect(settled.every(({ error }) => error instanceof SessionStoreUnavailableError)).toBe(
        true,
      );
      const back = nextReport(opened);
      server = await start({ port: server.port });
      await back;
    }
    const settled = await Promise.all(
      Array.from({ length: 1000 }, (_, at) => timed(store.open(`sid-${at}`))),
    );
    expect(settled.every(({ error }) => error === undefined)).toBe(true);
  });
});

describe('a store whose Redis client has given up', () => {
  it('connects again nevertheless', async () => {
    const server = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    // ioredis gives up for good in rare cases, which cannot be caused from outside.
    const link: unknown = Reflect.get(opened.store, 'link');
    const client = Reflect.get(link as object, 'client') as { disconnect(): void };
    const lost = nextReport(opened);
    client.disconnect();
    await lost;
    await nextReport(opened);
    await pairIn(opened.store);
  });
});

describe('a store that is closed', () => {
  it('reports nothing more, fails immediately, and has no connection', async () => {
    const server = await start();
    const opened = await openReadyStore(server.url, PATIENT);
    const operator = forThisTest(connectRedis(server.url));
    await opened.close();
    await expectImmediateRefusal(opened.store.open('a'));
    expect(opened.reports.items).toHaveLength(1);
    const clients = async (): Promise<number> =>
      String(await operator.client('LIST'))
        .trim()
        .split('\n').length;
    await expect.poll(clients, { timeout: 10_000 }).toBe(1);
  });

  it('closes immediately even while it tries to reach a Redis that is down', async () => {
    const gone = await start();
    await gone.stop();
    const opened = await openStore(gone.url, PATIENT);
    await opened.reports.find();
    expect((await timed(opened.close())).ms).toBeLessThan(PROMPT_MS);
    await start({ port: gone.port });
    await expectImmediateRefusal(opened.store.open('a'));
  });
});
