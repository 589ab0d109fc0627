import { BLOB_BYTES } from '@relay/protocol';
import { SessionStoreUnavailableError } from '@relay/session';
import { describe, expect, it } from 'vitest';

import { startRedisServer } from '../support/redis/redis-server.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import {
  connectRedis,
  immediateError,
  openReadyStore,
  operationsOn,
  pairIn,
  timed,
} from '../support/redis/session-store.js';
import { startTap } from '../support/attackers/tap.js';

/** Longer than every bound below, so an operation within its bound was ended by its time limit. */
const PAUSE_MS = 15_000;
/**
 * Differs so much from the default, 800 ms, that a store which ignored it would fail too early, and after twice this limit
 * the connection is given up.
 */
const LIMIT_MS = 2000;
/** A timer may fire a little early by another clock. */
const TIMER_ERROR_MS = 100;
/** The store tries to connect at least once a second. The rest is for a slow machine. */
const RECOVERY_LIMIT_MS = 5000;

const start = async () => {
  const server = await startRedisServer();
  forThisTest({ close: () => server.stop() });
  return server;
};

const calls = async (url: string, command: string): Promise<number> => {
  const operator = connectRedis(url);
  const stats = await operator.info('commandstats');
  await operator.close();
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
};

describe('a Redis that replies late', () => {
  it('delays a caller by the time limit and not more, for every operation', async () => {
    const { url } = await start();
    const { store, health } = forThisTest(
      await openReadyStore(url, { REDIS_COMMAND_TIMEOUT_MS: String(LIMIT_MS) }),
    );
    const operations = Object.values(operationsOn(store, await pairIn(store)));
    await forThisTest(connectRedis(url)).client('PAUSE', PAUSE_MS);

    const outcomes = await Promise.all(operations.map((operation) => timed(operation())));
    for (const { error, ms } of outcomes) {
      expect(error).toBeInstanceOf(SessionStoreUnavailableError);
      expect(ms).toBeGreaterThan(LIMIT_MS - TIMER_ERROR_MS);
      expect(ms).toBeLessThan(2 * LIMIT_MS - TIMER_ERROR_MS);
    }
    // The check has a limit of its own, 500 ms: readiness is to be known sooner.
    const { error, ms } = await timed(health.check());
    expect(error).toBeInstanceOf(SessionStoreUnavailableError);
    expect(ms).toBeLessThan(LIMIT_MS - TIMER_ERROR_MS);
  });

  it('is not assumed if the relay itself was busy when the reply arrived', async () => {
    const { url } = await start();
    const { store } = forThisTest(await openReadyStore(url, { REDIS_COMMAND_TIMEOUT_MS: '200' }));
    const { sid } = await pairIn(store);
    for (let count = 0; count < 3; count += 1) {
      const opened = store.open(sid);
      await new Promise(setImmediate);
      const busyUntil = performance.now() + 300;
      while (performance.now() < busyUntil) {
        // Blocks the event loop.
      }
      expect(await opened).toBeDefined();
    }
  });

  it('serves again soon after it replies again', async () => {
    const { url } = await start();
    const { store } = forThisTest(await openReadyStore(url));
    const pauseMs = 3000;
    await forThisTest(connectRedis(url)).client('PAUSE', pauseMs);
    const pausedAt = performance.now();
    await expect(store.open('during')).rejects.toBeInstanceOf(SessionStoreUnavailableError);
    await expect
      .poll(
        () =>
          store.reserve('after').then(
            () => 'served',
            () => 'failed',
          ),
        { timeout: pauseMs + 2 * RECOVERY_LIMIT_MS, interval: 50 },
      )
      .toBe('served');
    expect(performance.now() - pausedAt).toBeLessThan(pauseMs + RECOVERY_LIMIT_MS);
  });

  it('has at most 1,000 commands to reply to: any more are refused immediately', async () => {
    const { url } = await start();
    const { store } = forThisTest(
      await openReadyStore(url, { REDIS_COMMAND_TIMEOUT_MS: String(LIMIT_MS) }),
    );
    await forThisTest(connectRedis(url)).client('PAUSE', PAUSE_MS);
    const waiting = Array.from({ length: 1000 }, () => timed(store.open('a')));
    expect(await immediateError(store.open('a'))).toBeInstanceOf(SessionStoreUnavailableError);
    const outcomes = await Promise.all(waiting);
    expect(outcomes.every(({ error }) => error instanceof SessionStoreUnavailableError)).toBe(true);
    // Their callers have given up, but Redis still has to reply to all of them.
    expect(await immediateError(store.open('a'))).toBeInstanceOf(SessionStoreUnavailableError);
  });
});

describe('a Redis whose connection goes silent', () => {
  it('is connected to again after twice the time limit', async () => {
    const { url, port } = await start();
    const tap = forThisTest(await startTap(port));
    const opened = forThisTest(
      await openReadyStore(tap.url.replace('http', 'redis'), {
        REDIS_COMMAND_TIMEOUT_MS: String(LIMIT_MS),
      }),
    );
    const [first] = tap.connections.items;
    tap.alter((chunk, _from, connection) => (connection === first ? undefined : chunk));

    const lost = opened.reports.find(({ state }) => state === 'unavailable');
    const again = timed(tap.connections.count(2, 2 * LIMIT_MS + 2 * RECOVERY_LIMIT_MS));
    const { error, ms } = await timed(opened.store.open('a'));
    expect(error).toBeInstanceOf(SessionStoreUnavailableError);
    expect(ms).toBeLessThan(2 * LIMIT_MS - TIMER_ERROR_MS);
    await lost;
    const { ms: silenceMs } = await again;
    expect(silenceMs).toBeGreaterThan(2 * LIMIT_MS - TIMER_ERROR_MS);
    expect(silenceMs).toBeLessThan(2 * LIMIT_MS + RECOVERY_LIMIT_MS);
    await opened.reports.count(3);
    await pairIn(opened.store);
    expect(await calls(url, 'hello')).toBe(0);
  });
});

describe('a MARK whose reply is lost', () => {
  it('is an error and is never sent again, although it consumed its sequence number', async () => {
    const { url, port } = await start();
    const tap = forThisTest(await startTap(port));
    const opened = forThisTest(await openReadyStore(tap.url.replace('http', 'redis')));
    const { store } = opened;
    const { sid, key, head } = await pairIn(store);
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
    const before = await calls(url, 'setbit');

    tap.alter((chunk, from, connection) => {
      if (from === 'near') {
        return chunk;
      }
      connection.cut();
      return undefined;
    });
    await expect(store.mark(sid, { sequence: 2 }, head)).rejects.toBeInstanceOf(
      SessionStoreUnavailableError,
    );
    tap.alter(undefined);
    await opened.reports.count(3);

    expect(await store.mark(sid, { sequence: 3 }, head)).toBe('first');
    expect(await calls(url, 'setbit')).toBe(before + 2);
    expect(await forThisTest(connectRedis(url)).getbit(key, BLOB_BYTES * 8 + 2)).toBe(1);
    expect(await store.mark(sid, { sequence: 2 }, head)).toBe('replay');
  });

  it('is an error for each of many that were sent together, and none is sent again', async () => {
    const { url, port } = await start();
    const tap = forThisTest(await startTap(port));
    const opened = forThisTest(await openReadyStore(tap.url.replace('http', 'redis')));
    const { store } = opened;
    const { sid, head } = await pairIn(store);
    await store.mark(sid, { sequence: 1 }, head);
    const before = await calls(url, 'setbit');
    let replies = 0;
    tap.alter((chunk, from, connection) => {
      replies += from === 'far' ? 1 : 0;
      if (replies > 0) {
        connection.cut();
      }
      return chunk;
    });
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, at) => timed(store.mark(sid, { sequence: at + 2 }, head))),
    );
    tap.alter(undefined);
    await opened.reports.count(3);
    const marked = (await calls(url, 'setbit')) - before;
    expect(marked).toBeLessThanOrEqual(500);

    const failed = outcomes.filter(({ error }) => error instanceof SessionStoreUnavailableError);
    const first = outcomes.filter(({ value }) => value === 'first');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.length + first.length).toBe(500);
  });
});
