import { describe, expect, it } from 'vitest';

import { connectRedis } from '../support/redis/session-store.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { messageName, summaryOf } from '../support/protocol/tunnel-message.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';
import { UNSAFE_REQUESTS, expectOneExecution } from '../support/tunnels/second-delivery.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Signed errors that leave open whether the message ran: its session is unknown, or its number was used before. */
const UNKNOWN = { status: 560, isNeverForwarded: false };
const REPLAYED = { status: 565, isNeverForwarded: false };

describe('#43 a request that relay B executes, and that is delivered again after B lost its memory', () => {
  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const tunnel = await ProofTunnel.start({ outbound: unsafe.outbound ?? {} });

    const response = await expectOneExecution(tunnel, unsafe, async (message) => {
      await tunnel.restartInbound();
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(UNKNOWN);
  });
});

describe('#43 a request that relay B executes, and that is delivered again after its session was deleted', () => {
  const startWithRedis = async (outbound = {}) => {
    const REDIS_URL = await sharedStore();
    const redis = forThisTest(connectRedis(REDIS_URL));
    return { redis, tunnel: await ProofTunnel.start({ inbound: { REDIS_URL }, outbound }) };
  };

  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const { tunnel, redis } = await startWithRedis(unsafe.outbound);

    const response = await expectOneExecution(tunnel, unsafe, async (message) => {
      expect(await redis.del(`mte:s:${messageName(message)!.sid}`)).toBe(1);
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(UNKNOWN);
  });

  it('runs once, and its client is told "maybe", if everything was deleted', async () => {
    const { tunnel, redis } = await startWithRedis();

    const response = await expectOneExecution(tunnel, {}, async (message) => {
      await redis.flushall();
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(UNKNOWN);
  });
});

describe('#43 a request that relay B executes, and that is delivered again under a lower SESSION_MAX_MESSAGES', () => {
  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const REDIS_URL = await sharedStore();
    const tunnel = await ProofTunnel.start({
      inbound: { REDIS_URL },
      outbound: unsafe.outbound ?? {},
    });
    expect(await tunnel.send({ id: 'before', method: 'GET' })).toEqual({ status: 200 });

    const response = await expectOneExecution(tunnel, unsafe, async (message) => {
      await tunnel.restartInbound({ SESSION_MAX_MESSAGES: '1' });
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(REPLAYED);
  });
});

describe('#43 a request that relay B executes, and that is delivered again after a step of the clock past expiry', () => {
  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const tunnel = await ProofTunnel.start({ outbound: unsafe.outbound ?? {} });

    const response = await expectOneExecution(tunnel, unsafe, (message) => {
      tunnel.inbound.clock.jump(HOUR_MS);
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(REPLAYED);
  });

  it('runs once, and its client is told "maybe", if the store is a Redis', async () => {
    const tunnel = await ProofTunnel.start({ inbound: { REDIS_URL: await sharedStore() } });

    const response = await expectOneExecution(tunnel, {}, (message) => {
      tunnel.inbound.clock.jump(HOUR_MS);
      return tunnel.inbound.deliver(message);
    });

    expect(summaryOf(response)).toEqual(REPLAYED);
  });
});

describe('#43 a request that relay B executes, and that is delivered again to a replica with another clock', () => {
  const startWithReplica = async (aheadMs: number, outbound = {}) => {
    const tunnel = await ProofTunnel.start({
      inbound: { REDIS_URL: await sharedStore() },
      outbound,
    });
    return { tunnel, replica: await tunnel.addReplica(aheadMs) };
  };

  it.each(UNSAFE_REQUESTS)(
    'an hour ahead, runs once, and its client is told "maybe": %s',
    async (_, unsafe) => {
      const { tunnel, replica } = await startWithReplica(HOUR_MS, unsafe.outbound);

      const response = await expectOneExecution(tunnel, unsafe, replica.deliver);

      expect(summaryOf(response)).toEqual(REPLAYED);
    },
  );

  it.each([
    ['a minute ahead', MINUTE_MS],
    ['an hour behind', -HOUR_MS],
  ])('%s, runs once, and its client is told "maybe"', async (_, aheadMs) => {
    const { tunnel, replica } = await startWithReplica(aheadMs);

    const response = await expectOneExecution(tunnel, {}, replica.deliver);

    expect(summaryOf(response)).toEqual(REPLAYED);
  });

  it.each([
    ['an hour ahead', HOUR_MS, 559],
    ['a minute ahead', MINUTE_MS, 562],
    ['an hour behind', -HOUR_MS, 562],
  ])('%s, runs once if the replica was the first to get it', async (_, aheadMs, status) => {
    const { tunnel, replica } = await startWithReplica(aheadMs);
    const responses: unknown[] = [];

    const outcome = await tunnel.send({ id: 'pay' }, async (message) => {
      const response = await replica.deliver(message);
      responses.push(summaryOf(response));
      return response;
    });

    expect(outcome).toEqual({ status: 200 });
    expect(responses).toEqual([{ status, isNeverForwarded: true }]);
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
    await tunnel.deliverEverythingEverywhere();
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
  });
});
