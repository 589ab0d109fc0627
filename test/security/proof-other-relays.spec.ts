import { describe, expect, it } from 'vitest';

import { summaryOf } from '../support/protocol/tunnel-message.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';
import { UNSAFE_REQUESTS, expectOneExecution } from '../support/tunnels/second-delivery.js';

/** How a relay refuses a message that is for another one: it signs nothing. */
const UNSIGNED_REFUSAL = { status: 566 };
/** How a relay refuses a message whose session it does not know: it cannot tell whether the message ran. */
const UNKNOWN = { status: 560, isNeverForwarded: false };
const MAYBE = { status: 502, forwarded: 'maybe' };
const NOWHERE = { A: 0, B: 0, C: 0 };

describe('#43 a request that relay B executes, and that then goes to a relay with another store', () => {
  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const tunnel = await ProofTunnel.start({ outbound: unsafe.outbound ?? {} });
    const other = await tunnel.addRelay('C');

    const response = await expectOneExecution(tunnel, unsafe, other.deliver);

    expect(summaryOf(response)).toEqual(UNKNOWN);
  });

  it('runs once, and its client is told "maybe", if each store is a Redis of its own', async () => {
    const tunnel = await ProofTunnel.start({ inbound: { REDIS_URL: await sharedStore() } });
    const other = await tunnel.addRelay('C', { REDIS_URL: await sharedStore() });

    const response = await expectOneExecution(tunnel, {}, other.deliver);

    expect(summaryOf(response)).toEqual(UNKNOWN);
  });

  it('is retried if it is a GET, whose client gets its response', async () => {
    const tunnel = await ProofTunnel.start();
    const other = await tunnel.addRelay('C');

    const outcome = await tunnel.send({ id: 'read', method: 'GET' }, async (message) => {
      await tunnel.inbound.deliver(message);
      return other.deliver(message);
    });

    expect(outcome).toEqual({ status: 200 });
    expect(tunnel.executions('read')).toEqual({ A: 0, B: 2, C: 0 });
  });
});

describe('#43 a request that relay B executes, and that then goes back to its sender', () => {
  it.each(UNSAFE_REQUESTS)('runs once, and its client is told "maybe": %s', async (_, unsafe) => {
    const tunnel = await ProofTunnel.start({ outbound: unsafe.outbound ?? {} });

    const response = await expectOneExecution(tunnel, unsafe, tunnel.outbound.deliver);

    expect(summaryOf(response)).toEqual(UNSIGNED_REFUSAL);
  });

  it('runs once, and its client is told "maybe", if no relay has an audience', async () => {
    const tunnel = await ProofTunnel.start({ hasAudiences: false });

    const response = await expectOneExecution(tunnel, {}, tunnel.outbound.deliver);

    expect(summaryOf(response)).toEqual(UNSIGNED_REFUSAL);
  });
});

describe('#44 a request that goes to another relay, which has the same store and another audience', () => {
  const startWithC = async (outbound = {}) => {
    const store = { REDIS_URL: await sharedStore() };
    const tunnel = await ProofTunnel.start({ inbound: store, outbound });
    return { tunnel, other: await tunnel.addRelay('C', store) };
  };

  it.each(UNSAFE_REQUESTS)('does not run there: %s', async (_, unsafe) => {
    const { tunnel, other } = await startWithC(unsafe.outbound);

    const outcome = await tunnel.send({ ...unsafe, id: 'pay' }, other.deliver);

    expect(outcome).toEqual(MAYBE);
    expect(tunnel.executions('pay')).toEqual(NOWHERE);
  });

  it('is refused there unsigned and is not marked: the relay that it is for still executes it', async () => {
    const { tunnel, other } = await startWithC();
    const responses: unknown[] = [];

    const outcome = await tunnel.send({ id: 'pay' }, async (message) => {
      responses.push(summaryOf(await other.deliver(message)));
      return tunnel.inbound.deliver(message);
    });

    expect(responses).toEqual([UNSIGNED_REFUSAL]);
    expect(outcome).toEqual({ status: 200 });
    expect(tunnel.executions('pay')).toEqual({ ...NOWHERE, B: 1 });
    await tunnel.deliverEverythingEverywhere();
    expect(tunnel.executions('pay')).toEqual({ ...NOWHERE, B: 1 });
  });

  it('after relay B executed it, runs once, and its client is told "maybe"', async () => {
    const { tunnel, other } = await startWithC();

    const response = await expectOneExecution(tunnel, {}, other.deliver);

    expect(summaryOf(response)).toEqual(UNSIGNED_REFUSAL);
  });
});

describe('#44 a request that goes back to its sender, which has the same store as relay B', () => {
  const startWithOneStore = async (hasAudiences: boolean) => {
    const store = { REDIS_URL: await sharedStore() };
    return ProofTunnel.start({ inbound: store, outbound: store, hasAudiences });
  };

  it.each([
    ['with an audience', true],
    ['without', false],
  ])('does not run there: %s', async (_audience, hasAudiences) => {
    const tunnel = await startWithOneStore(hasAudiences);

    const outcome = await tunnel.send({ id: 'pay' }, tunnel.outbound.deliver);

    expect(outcome).toEqual(MAYBE);
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
  });

  it('is refused there unsigned and is not marked: the relay that it is for still executes it', async () => {
    const tunnel = await startWithOneStore(true);
    const responses: unknown[] = [];

    const outcome = await tunnel.send({ id: 'pay' }, async (message) => {
      responses.push(summaryOf(await tunnel.outbound.deliver(message)));
      return tunnel.inbound.deliver(message);
    });

    expect(responses).toEqual([UNSIGNED_REFUSAL]);
    expect(outcome).toEqual({ status: 200 });
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
  });
});

describe('#44 a pairing that goes back to its sender, which has no audience', () => {
  it.each([
    ['and so does the request', true],
    ['and the request does not', false],
  ])('is refused, and no request runs: %s', async (_, followsPairing) => {
    const tunnel = await ProofTunnel.start({ hasAudiences: false });
    const { url } = tunnel.outbound.relay;
    tunnel.path.leadPairingsTo(url);
    if (followsPairing) {
      tunnel.path.leadTo(url);
    }

    const outcome = await tunnel.send({ id: 'pay' });

    expect(outcome).toEqual({ status: 502, forwarded: 'no' });
    expect(tunnel.path.messages.items.length).toBe(0);
    expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
  });
});
