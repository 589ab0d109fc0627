import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';

import { Test } from '@nestjs/testing';
import { ClockModule } from '@relay/clock';
import { RelayConfigModule, type ClientEntry } from '@relay/config';
import { SessionModule, SessionStore, StoreHealth, type StoreReport } from '@relay/session';
import { describe, expect, it } from 'vitest';

import { ClientLimits } from '../../apps/relay/src/admission/client-limits.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRedisCluster } from '../support/redis/redis-cluster.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis, immediateError, timed } from '../support/redis/session-store.js';
import { SESSION_SURROUNDINGS } from '../support/redis/session-surroundings.js';
import { relayConfig } from '../support/relays/config.js';

const PER_SECOND = 5;
const REQUESTS = 40;
/** Differs so much from what a prompt refusal takes that the two cannot be mistaken for each other. */
const LIMIT_MS = 2000;
const PROMPT_MS = 1800;
const TIMER_ERROR_MS = 100;

const response = (): ServerResponse =>
  Object.assign(new EventEmitter(), { destroyed: false }) as never;
const billing: ClientEntry = {
  name: 'billing',
  tokens: [],
  limits: { requestsPerSecond: PER_SECOND },
};

interface OpenedLimits {
  readonly limits: ClientLimits;
  readonly store: SessionStore;
  readonly failures: Recorder<Error | undefined>;
  readonly reports: Recorder<StoreReport>;
}

const start = async (args: readonly string[] = []): Promise<RedisServer> => {
  const server = await startRedisServer({ args });
  forThisTest({ close: () => server.stop() });
  return server;
};

/** The limits of one relay process, once its Redis is reachable. */
const openLimits = async (REDIS_URL: string): Promise<OpenedLimits> => {
  const config = relayConfig({ REDIS_URL, REDIS_COMMAND_TIMEOUT_MS: String(LIMIT_MS) });
  const module = await Test.createTestingModule({
    imports: [RelayConfigModule.register(config), ClockModule, SESSION_SURROUNDINGS, SessionModule],
    providers: [ClientLimits],
  }).compile();
  await module.init();
  forThisTest({ close: () => module.close() });
  const limits = module.get(ClientLimits);
  const failures = new Recorder<Error | undefined>();
  limits.watch((failure) => {
    failures.add(failure);
  });
  const reports = new Recorder<StoreReport>();
  module.get<StoreHealth>(StoreHealth).watch((report) => {
    reports.add(report);
  });
  await reports.find(({ state }) => state === 'available');
  return { limits, store: module.get<SessionStore>(SessionStore), failures, reports };
};

const isAdmitted = (limits: ClientLimits): Promise<boolean> =>
  Promise.resolve(limits.admit(billing, response())).then(
    () => true,
    (error: unknown) => {
      expect(error).toMatchObject({ code: 'RELAY_CLIENT_LIMITED', retryAfter: 1 });
      return false;
    },
  );

/** How many requests are admitted that the relays get in turn, and in how many windows at most that was. */
const admitted = async (
  relays: readonly OpenedLimits[],
): Promise<{ count: number; windows: number }> => {
  const startedAt = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: REQUESTS }, (_, at) => isAdmitted(relays[at % relays.length]!.limits)),
  );
  const windows = 1 + Math.floor((performance.now() - startedAt) / 1000);
  return { count: outcomes.filter(Boolean).length, windows };
};

describe('requests per second of a client', () => {
  it('are counted by all relays with one Redis together', async () => {
    const { url } = await start();
    const relays = [await openLimits(url), await openLimits(url)];

    const { count, windows } = await admitted(relays);

    expect(count).toBeGreaterThanOrEqual(PER_SECOND);
    expect(count).toBeLessThanOrEqual(windows * PER_SECOND);
    expect(relays.flatMap(({ failures }) => failures.items)).toEqual([]);
  });

  it('are counted under a key of the client that Redis drops', async () => {
    const { url } = await start();
    const { limits } = await openLimits(url);
    const operator = forThisTest(connectRedis(url));

    expect(await isAdmitted(limits)).toBe(true);

    // Redis may have dropped it by now, on a slow machine.
    expect(['mte:c:billing', undefined]).toContain((await operator.keys('mte:c:*'))[0]);
    await expect.poll(() => operator.keys('mte:c:*'), { timeout: 10_000 }).toEqual([]);
    expect(await isAdmitted(limits)).toBe(true);
  });

  it('are refused without asking Redis again once they are used up', async () => {
    const { url } = await start();
    const relay = await openLimits(url);
    const operator = forThisTest(connectRedis(url));
    const calls = async (): Promise<number> => {
      const stats = await operator.info('commandstats');
      return Number(/cmdstat_incrby:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    // A new window would be asked for: it is not this that is tested.
    for (let isOneWindow = false; !isOneWindow;) {
      const startedAt = performance.now();
      await admitted([relay]);
      const before = await calls();
      const again = await admitted([relay]);
      const asked = (await calls()) - before;
      isOneWindow = performance.now() - startedAt < 1000;
      if (isOneWindow) {
        expect({ asked, count: again.count }).toEqual({ asked: 0, count: 0 });
      }
    }
  });

  it('are counted by each relay alone while Redis is away, without waiting for it, and together again later', async () => {
    const server = await start();
    const relays = [await openLimits(server.url), await openLimits(server.url)];
    await server.kill();
    await Promise.all(
      relays.map(({ reports }) => reports.find(({ state }) => state === 'unavailable')),
    );

    const { value, ms } = await timed(admitted(relays));

    expect(ms).toBeLessThan(PROMPT_MS);
    const { count, windows } = value as { count: number; windows: number };
    expect(count).toBeGreaterThanOrEqual(2 * PER_SECOND);
    expect(count).toBeLessThanOrEqual(2 * windows * PER_SECOND);
    for (const { failures } of relays) {
      expect(failures.items).toEqual([
        expect.objectContaining({ code: 'RELAY_STORE_UNAVAILABLE' }),
      ]);
    }

    const back = await startRedisServer({ port: server.port });
    forThisTest({ close: () => back.stop() });
    const operator = forThisTest(connectRedis(back.url));
    await expect
      .poll(
        async () => {
          await Promise.all(relays.map(({ limits }) => isAdmitted(limits)));
          return operator.keys('mte:c:*');
        },
        { timeout: 20_000 },
      )
      .toEqual(['mte:c:billing']);
  });

  it('wait for a Redis that does not reply for REDIS_COMMAND_TIMEOUT_MS and not more', async () => {
    const { url } = await start();
    const { limits, failures } = await openLimits(url);
    await forThisTest(connectRedis(url)).client('PAUSE', 15_000);

    const { value, ms } = await timed(isAdmitted(limits));

    expect(value).toBe(true);
    expect(ms).toBeGreaterThan(LIMIT_MS - TIMER_ERROR_MS);
    expect(ms).toBeLessThan(2 * LIMIT_MS - TIMER_ERROR_MS);
    expect(failures.items).toHaveLength(1);
  });

  it('leave sessions most of the commands that may wait for Redis, and are counted alone beyond their part', async () => {
    const { url } = await start();
    const { limits, store } = await openLimits(url);
    await forThisTest(connectRedis(url)).client('PAUSE', 15_000);

    const flood = Promise.all(Array.from({ length: 1500 }, () => isAdmitted(limits)));

    // It waits for Redis, as it would without the flood, and is not refused at once.
    const operation = store.open('of-a-peer');
    expect(await immediateError(operation)).toBeUndefined();
    await expect(operation).rejects.toMatchObject({ code: 'RELAY_STORE_UNAVAILABLE' });
    const admissions = (await flood).filter(Boolean);
    expect(admissions.length).toBeGreaterThanOrEqual(PER_SECOND);
    expect(admissions.length).toBeLessThan(1500 / 2);
  });

  it('are counted with the rights that docs/configuration.md lists, and alone with fewer', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    const [, line = ''] = /^ACL SETUSER relay on >password (.*)$/m.exec(
      readFileSync('docs/configuration.md', 'utf8'),
    )!;
    await operator.acl('SETUSER', 'relay', 'on', '>password', ...line.split(' '));
    const { limits, failures } = await openLimits(`redis://relay:password@127.0.0.1:${port}`);
    expect(await isAdmitted(limits)).toBe(true);
    expect(failures.items).toEqual([]);

    await operator.acl('SETUSER', 'relay', '-incrby');
    expect(await isAdmitted(limits)).toBe(true);
    const [failure] = failures.items;
    expect(String(failure?.cause)).toMatch(/NOPERM|can't run this command/);
  });

  it('are counted in a cluster', async () => {
    const cluster = forThisTest(await startRedisCluster());
    const relays = [await openLimits(cluster.url), await openLimits(cluster.url)];

    const { count, windows } = await admitted(relays);

    expect(count).toBeGreaterThanOrEqual(PER_SECOND);
    expect(count).toBeLessThanOrEqual(windows * PER_SECOND);
    expect(relays.flatMap(({ failures }) => failures.items)).toEqual([]);
  });
});
