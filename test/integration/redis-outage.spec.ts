import { setTimeout as delay } from 'node:timers/promises';

import { SessionStoreUnavailableError, type StoreReport } from '@relay/session';
import { describe, expect, it } from 'vitest';

import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { forThisTest } from '../support/resources.js';
import {
  type OpenedStore,
  openReadyStore,
  openStore,
  operationsOn,
  pairIn,
  timed,
} from '../support/session-store.js';

/** Traffic is to be whole again within 5 s of an outage; the store may take half of that. */
const BACK_LIMIT_MS = 2500;
/** What a busy machine may make of no time at all; well under every time limit here. */
const AT_ONCE_MS = 400;

const isAvailable = ({ state }: StoreReport): boolean => state === 'available';

const start = async (
  options: Parameters<typeof startRedisServer>[0] = {},
): Promise<RedisServer> => {
  const server = await startRedisServer(options);
  forThisTest({
    close: async () => {
      // Also one that a test has stopped half-way.
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
    .count(opened.reports.items.length + 1, 2 * BACK_LIMIT_MS)
    .then((reports) => reports.at(-1)!);

const expectRefusedAtOnce = async (operation: Promise<unknown>): Promise<void> => {
  const { error, ms } = await timed(operation);
  expect(error).toBeInstanceOf(SessionStoreUnavailableError);
  expect(ms).toBeLessThan(AT_ONCE_MS);
};

describe('a store whose Redis is away at the start', () => {
  it('is opened all the same, fails at once, and is there when Redis comes', async () => {
    const gone = await start();
    await gone.stop();
    const opened = forThisTest(await openStore(gone.url));
    const { error } = (await opened.reports.find()) as { error: Error };
    expect(error.message).toContain('ECONNREFUSED');
    for (const operation of Object.values(
      operationsOn(opened.store, {
        sid: 'a',
        key: '',
        blob: Buffer.alloc(144),
        head: Buffer.alloc(56),
      }),
    )) {
      await expectRefusedAtOnce(operation());
    }
    await expectRefusedAtOnce(opened.health.check());
    await expectRefusedAtOnce(opened.health.describe());

    const { port } = gone;
    const back = nextReport(opened);
    await start({ port });
    expect((await timed(back)).ms).toBeLessThan(BACK_LIMIT_MS);
    expect(isAvailable(await back)).toBe(true);
    await opened.health.check();
    await pairIn(opened.store);
  });

  it('says once that it is away, and not at each attempt', async () => {
    const gone = await start();
    await gone.stop();
    const opened = forThisTest(await openStore(gone.url));
    await opened.reports.find();
    // Time for several attempts: what must not happen has no event to wait for.
    await delay(500);
    expect(opened.reports.items).toHaveLength(1);
  });
});

describe('a store whose Redis dies in the middle of traffic', () => {
  it('rejects what was under way, and is back when Redis is', async () => {
    const server = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    const { store } = opened;
    const outcomes: Awaited<ReturnType<typeof timed>>[] = [];
    let isRunning = true;
    let sequence = 0;
    const live = await pairIn(store);
    const traffic = Array.from({ length: 50 }, async () => {
      while (isRunning) {
        sequence += 1;
        outcomes.push(await timed(store.mark(live.sid, sequence, live.head)));
        // Clients do not ask again in the same instant.
        await delay(5);
      }
    });

    await expect.poll(() => outcomes.length).toBeGreaterThan(200);
    const lost = nextReport(opened);
    await kill(server);
    expect((await lost).state).toBe('unavailable');
    const back = nextReport(opened);
    const restarted = start({ port: server.port });
    expect((await timed(Promise.all([restarted, back]))).ms).toBeLessThan(BACK_LIMIT_MS);
    isRunning = false;
    await Promise.all(traffic);

    const failures = outcomes.filter(({ error }) => error !== undefined);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.every(({ error }) => error instanceof SessionStoreUnavailableError)).toBe(true);
    expect(Math.max(...outcomes.map(({ ms }) => ms))).toBeLessThan(1000);
    // The new server knows nothing of the session, and says so.
    expect(await store.mark(live.sid, sequence + 1, live.head)).toBe('dead');
    const next = await pairIn(store);
    expect(await store.mark(next.sid, 1, next.head)).toBe('first');
  });

  it('comes back from one outage after another', async () => {
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

  it('has the places free again of every command that was lost', async () => {
    const environment = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
    let server = await start();
    const opened = forThisTest(await openReadyStore(server.url, environment));
    const { store } = opened;
    for (let outage = 0; outage < 3; outage += 1) {
      process.kill(server.pid, 'SIGSTOP');
      const waiting = Array.from({ length: 1000 }, (_, at) => timed(store.open(`sid-${at}`)));
      await expectRefusedAtOnce(store.open('one-too-many'));
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

describe('a store whose client library has given up', () => {
  it('connects again all the same', async () => {
    const server = await start();
    const opened = forThisTest(await openReadyStore(server.url));
    // ioredis ends for good in rare cases, which nobody can bring about from outside.
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
  it('tells nothing more, fails at once, and holds no connection', async () => {
    const server = await start();
    const opened = await openReadyStore(server.url);
    const operator = await openReadyStore(server.url);
    await opened.close();
    await expectRefusedAtOnce(opened.store.open('a'));
    expect(opened.reports.items).toHaveLength(1);
    await operator.close();
  });

  it('is closed at once also while it looks for a Redis that is away', async () => {
    const gone = await start();
    await gone.stop();
    const opened = await openStore(gone.url);
    await opened.reports.find();
    expect((await timed(opened.close())).ms).toBeLessThan(1000);
    await start({ port: gone.port });
    await expectRefusedAtOnce(opened.store.open('a'));
  });
});
