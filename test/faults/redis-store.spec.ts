import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';

import { startFleet, type Fleet } from '../support/processes/fleet.js';
import { exchangesOf, underLoad } from '../support/assertions/fault-under-load.js';
import { isSlow } from '../support/lifecycle/property.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { connectRedis } from '../support/redis/session-store.js';
import type { LoadOutcome } from '../support/clients/steady-load.js';

/** A command fails after 800 ms; the rest is for the relays under load and for a slow machine. */
const RESPONSE_LIMIT_MS = 5_000;
/** How many characters of a session id logs show. */
const SID_SHOWN = 8;
const UNSAFE = ['POST', 'PATCH', 'PUT', 'DELETE'];

const shared = sharedResources();
let fleet: Fleet;
let redis: Redis;

beforeAll(async () => {
  fleet = shared(await startFleet());
  redis = shared(connectRedis(fleet.redis.url));
});

/**
 * Expects each failure to be that of a request that changes something and whose session was lost on its way. Its sender cannot
 * know that it was not executed; the test can.
 */
const expectSessionsLost = (failed: readonly LoadOutcome[], summary: string): void => {
  const uncertain = expect.objectContaining({
    end: 'refused',
    status: 502,
    code: 'RELAY_PEER_REFUSED_MESSAGE',
    forwarded: 'maybe',
  }) as LoadOutcome;
  expect(failed, summary).toEqual(failed.map(() => uncertain));
  expect(UNSAFE, summary).toEqual(expect.arrayContaining(failed.map(({ method }) => method)));
  const executions = failed.map(({ id }) => fleet.upstream.executions(id));
  expect(executions, summary).toEqual(failed.map(() => 0));
};

/** Expects the same, and failures as of `expectStoreOutage` besides. */
const expectStoreOutageAndSessionsLost = (
  failed: readonly LoadOutcome[],
  summary: string,
): void => {
  const isLost = ({ status }: LoadOutcome): boolean => status === 502;
  expectSessionsLost(failed.filter(isLost), summary);
  expectStoreOutage(
    failed.filter((outcome) => !isLost(outcome)),
    summary,
  );
};

/** Expects each failure to be a timely 503 with its reason. A response to HEAD has no body for the reason. */
const expectStoreOutage = (failed: readonly LoadOutcome[], summary: string): void => {
  const outage = expect.objectContaining({ end: 'refused', status: 503 }) as LoadOutcome;
  const codes = failed.flatMap(({ method, code }) => (method === 'HEAD' ? [] : [code]));
  expect(failed, summary).not.toEqual([]);
  expect(failed, summary).toEqual(failed.map(() => outage));
  expect(new Set(codes), summary).toEqual(new Set(['RELAY_PEER_STORE_UNAVAILABLE']));
  expect(Math.max(...failed.map(({ ms }) => ms)), summary).toBeLessThan(RESPONSE_LIMIT_MS);
};

describe('the one Redis of three inbound relays, under load', () => {
  it('can be wiped without the loss of a safe request; others on their way are not executed', async ({
    annotate,
  }) => {
    const { failed, summary } = await underLoad(fleet, async (load) => {
      await redis.flushall();
      await load.pass(40);
    });
    await annotate(summary);

    expectSessionsLost(failed, summary);
  });

  it('causes 503s while it is unreachable, and is used again when it comes back empty', async ({
    annotate,
  }) => {
    const { failed, summary } = await underLoad(fleet, async (load) => {
      await fleet.redis.kill();
      await load.pass(60);
      await fleet.restartRedis('nothing');
    });
    await annotate(summary);

    expectStoreOutageAndSessionsLost(failed, summary);
  });

  it('can come back from an old snapshot: no session in it is used again', async ({ annotate }) => {
    let saved: string[] = [];
    const { failed, summary } = await underLoad(fleet, async (load) => {
      saved = await redis.keys('mte:s:*');
      await redis.save();
      await load.pass(40);
      await fleet.redis.kill();
      await load.pass(40);
      await fleet.restartRedis('its files');
    });
    await annotate(summary);

    expectStoreOutageAndSessionsLost(failed, summary);
    const used = new Set(exchangesOf(fleet).map((exchange) => exchange.slice(0, SID_SHOWN)));
    const sessions = saved.filter((key) => used.has(key.replace('mte:s:', '').slice(0, SID_SHOWN)));
    expect(sessions.length).toBeGreaterThanOrEqual(fleet.outbound.length);
    for (const session of sessions) {
      expect(await redis.get(session)).toBe('x');
    }
  });

  it('causes 503s, but no hang, while it is paused for 3 s', async ({ annotate }) => {
    const { failed, summary } = await underLoad(fleet, async () => {
      await redis.call('CLIENT', 'PAUSE', '3000', 'ALL');
      await redis.ping();
    });
    await annotate(summary);

    expectStoreOutage(failed, summary);
  });

  it.runIf(isSlow)(
    'causes 503s while it is a read-only replica, and is used again as a primary',
    async ({ annotate }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        await redis.replicaof('127.0.0.1', '9');
        await load.pass(60);
        await redis.replicaof('NO', 'ONE');
      });
      await annotate(summary);

      expectStoreOutage(failed, summary);
    },
  );
});
