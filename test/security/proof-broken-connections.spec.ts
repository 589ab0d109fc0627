import { describe, expect, it } from 'vitest';

import { holdingAttack } from '../support/attackers/redirecting-path.js';
import { messageName, summaryOf } from '../support/protocol/tunnel-message.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';

const OK = { status: 200 };
const MAYBE = { status: 502, forwarded: 'maybe' };
const REPLAYED = { status: 565, isNeverForwarded: false };
const ONCE = { A: 0, B: 1 };
const LIFETIME_SECONDS = 300;

const REQUESTS = [
  ['POST', { id: 'pay' }],
  ['POST as MTE', { id: 'pay', type: 'MTE' }],
  ['PATCH', { id: 'pay', method: 'PATCH' }],
  ['DELETE', { id: 'pay', method: 'DELETE', body: '' }],
] as const;

describe.each(['memory://', 'redis://'])('%s', (store) => {
  const start = async (outbound = {}) => {
    const REDIS_URL = store === 'redis://' ? await sharedStore() : store;
    return ProofTunnel.start({ inbound: { REDIS_URL }, outbound });
  };

  describe('#45 a request that is held back while its connection is broken', () => {
    it.each(REQUESTS)(
      'is retried, and runs once although both messages arrive: %s',
      async (_, spec) => {
        const tunnel = await start();
        const { held, hold } = holdingAttack();

        expect(await tunnel.send(spec, hold)).toEqual(OK);
        const late = await tunnel.inbound.deliver(held[0]!);

        expect(summaryOf(late)).toEqual(REPLAYED);
        const [first, second] = tunnel.path.messages.items.map(messageName);
        expect(second).toMatchObject({ sid: first?.sid, replaces: first?.sequence });
        expect(tunnel.executions('pay')).toEqual(ONCE);
        await tunnel.deliverEverythingEverywhere();
        expect(tunnel.executions('pay')).toEqual(ONCE);
      },
    );

    it('runs once if it arrives before its retry, and its client is told "maybe"', async () => {
      const tunnel = await start();
      const { held, hold } = holdingAttack();
      const responses: unknown[] = [];

      const outcome = await tunnel.send({ id: 'pay' }, hold, async (retry) => {
        expect(await tunnel.inbound.deliver(held[0]!)).toMatchObject(OK);
        const response = await tunnel.inbound.deliver(retry);
        responses.push(summaryOf(response));
        return response;
      });

      expect(outcome).toEqual(MAYBE);
      expect(responses).toEqual([REPLAYED]);
      expect(tunnel.executions('pay')).toEqual(ONCE);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual(ONCE);
    });

    it('runs once if many copies of it and of its retry race', async () => {
      const tunnel = await start();
      const { held, hold } = holdingAttack();
      const statuses: number[] = [];

      const outcome = await tunnel.send({ id: 'pay' }, hold, async (retry) => {
        const copies = Array.from({ length: 20 }, () => [retry, held[0]!]).flat();
        const responses = await Promise.all(copies.map(tunnel.inbound.deliver));
        statuses.push(...responses.map(({ status }) => status));
        return responses[0];
      });

      expect([OK, MAYBE]).toContainEqual(outcome);
      expect(statuses.filter((status) => status === 200).length).toBe(1);
      expect(statuses.filter((status) => status === 565).length).toBe(39);
      expect(tunnel.executions('pay')).toEqual(ONCE);
    });

    it.each([
      ['in their order', [0, 1]],
      ['in the other order', [1, 0]],
    ])(
      'runs once if both connections broke and both arrive %s, and its client is told "maybe"',
      async (_, order) => {
        const tunnel = await start();
        const { held, hold } = holdingAttack();

        expect(await tunnel.send({ id: 'pay' }, hold, hold)).toEqual(MAYBE);
        expect(held.length).toBe(2);
        const statuses = [];
        for (const at of order) {
          statuses.push((await tunnel.inbound.deliver(held[at]!)).status);
        }

        expect(statuses).toEqual([200, 565]);
        expect(tunnel.executions('pay')).toEqual(ONCE);
      },
    );

    it('is not retried with RETRY_UNSAFE_METHODS=false, and its client is told "maybe"', async () => {
      const tunnel = await start({ RETRY_UNSAFE_METHODS: 'false' });
      const { hold } = holdingAttack();

      expect(await tunnel.send({ id: 'pay' }, hold)).toEqual(MAYBE);

      expect(tunnel.path.messages.items.length).toBe(1);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual(ONCE);
    });

    it('is not retried under another session, and its client is told "maybe"', async () => {
      const tunnel = await start();
      const { hold } = holdingAttack();

      const outcome = await tunnel.send({ id: 'pay' }, hold, async (retry) => {
        await tunnel.restartInbound({ REDIS_URL: 'memory://' });
        return tunnel.inbound.deliver(retry);
      });

      expect(outcome).toEqual(MAYBE);
      expect(tunnel.path.messages.items.length).toBe(2);
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
    });
  });
});

describe('#45 a request that relay B executes, and whose connection is then broken', () => {
  it.each(['POST', 'PUT'])(
    'is told "maybe" if nobody receives its retry: that proves nothing about the first message (%s)',
    async (method) => {
      const tunnel = await ProofTunnel.start();

      const outcome = await tunnel.send({ id: 'pay', method }, async (message) => {
        expect(await tunnel.inbound.deliver(message)).toMatchObject(OK);
        await tunnel.path.close();
        return undefined;
      });

      expect(outcome).toEqual(MAYBE);
      expect(tunnel.executions('pay')).toEqual(ONCE);
    },
  );

  it.each([
    ['is being replaced', 0.8 * LIFETIME_SECONDS, 1],
    ['is too old for another message', 0.95 * LIFETIME_SECONDS, 0],
  ])('does not run again under the next session if its own %s', async (_, ageSeconds, retries) => {
    const inbound = { SESSION_LIFETIME_SECONDS: String(LIFETIME_SECONDS) };
    const tunnel = await ProofTunnel.start({ inbound });
    const { log } = tunnel.outbound.relay;

    const outcome = await tunnel.send({ id: 'pay' }, async (message) => {
      expect(await tunnel.inbound.deliver(message)).toMatchObject(OK);
      tunnel.advance(ageSeconds * 1000);
      expect(await tunnel.send({ id: 'read', method: 'GET' })).toEqual(OK);
      await log.find(({ msg, reason }) => msg === 'paired' && reason !== 'first');
      return undefined;
    });

    expect(tunnel.executions('pay')).toEqual(ONCE);
    expect(outcome).toEqual(MAYBE);
    const [first, ...others] = tunnel.path.messages.items.map(messageName);
    const replacing = others.filter((message) => message?.replaces !== undefined);
    expect(replacing.map((retry) => retry?.sid)).toEqual(Array(retries).fill(first?.sid));
    await tunnel.deliverEverythingEverywhere();
    expect(tunnel.executions('pay')).toEqual(ONCE);
  });
});

describe('#45 a POST that is held back, and then delivered to another replica than its retry', () => {
  it('runs once', async () => {
    const tunnel = await ProofTunnel.start({ inbound: { REDIS_URL: await sharedStore() } });
    const replica = await tunnel.addReplica();
    const { held, hold } = holdingAttack();

    expect(await tunnel.send({ id: 'pay' }, hold)).toEqual(OK);
    const late = await replica.deliver(held[0]!);

    expect(summaryOf(late)).toEqual(REPLAYED);
    expect(tunnel.executions('pay')).toEqual(ONCE);
  });
});
