import { describe, expect, it } from 'vitest';

import {
  deliverAllButTheLastRecord,
  holdingAttack,
  type BegunDelivery,
} from '../support/attackers/redirecting-path.js';
import { messageName, summaryOf } from '../support/protocol/tunnel-message.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';
import { startValueUpstream } from '../support/upstreams/value-upstream.js';

const FIRST = { id: 'first', method: 'PUT', body: 'one' };
const SECOND = { id: 'second', method: 'PUT', body: 'two' };
/** More than one record of content, so that relay B has something to forward before the last record arrives. */
const LONG = 'one'.padEnd(100_000, '.');
/** Longer than a message may be on its way. */
const LATE_MS = 31_000;

const OK = { status: 200 };
const MAYBE = { status: 502, forwarded: 'maybe' };
const REPLAYED = { status: 565, isNeverForwarded: false };
const ONCE = { A: 0, B: 1 };

describe.each(['memory://', 'redis://'])('%s', (store) => {
  const start = async () => {
    const upstream = await startValueUpstream();
    const REDIS_URL = store === 'redis://' ? await sharedStore() : store;
    return { upstream, tunnel: await ProofTunnel.start({ upstream, inbound: { REDIS_URL } }) };
  };

  describe('#45 a PUT that is held back while its connection is broken', () => {
    it.each(['MKE', 'MTE'] as const)(
      'never runs after its retry, so the value of a later PUT stays (%s)',
      async (type) => {
        const { tunnel, upstream } = await start();
        const { held, hold } = holdingAttack();

        expect(await tunnel.send({ ...FIRST, type }, hold)).toEqual(OK);
        expect(await tunnel.send({ ...SECOND, type })).toEqual(OK);
        const late = await tunnel.inbound.deliver(held[0]!);

        expect(upstream.value()).toBe('two');
        expect(summaryOf(late)).toEqual(REPLAYED);
        await tunnel.deliverEverythingEverywhere();
        expect(upstream.value()).toBe('two');
        expect(tunnel.executions('first')).toEqual(ONCE);
        expect(tunnel.executions('second')).toEqual(ONCE);
      },
    );

    it('runs once if only its last record is held back, and its client is told "maybe"', async () => {
      const { tunnel, upstream } = await start();
      const begun: BegunDelivery[] = [];

      const outcome = await tunnel.send({ ...FIRST, body: LONG }, async (message) => {
        begun.push(deliverAllButTheLastRecord(tunnel.inbound.relay.url, message));
        await expect.poll(() => tunnel.executions('first')).toEqual(ONCE);
        return undefined;
      });
      expect(await tunnel.send(SECOND)).toEqual(OK);
      expect(await begun[0]!.finish()).toMatchObject(OK);

      expect(tunnel.executions('first')).toEqual(ONCE);
      expect(tunnel.executions('second')).toEqual(ONCE);
      expect(outcome).toEqual(MAYBE);
      // The attacker chose the order, which is what "maybe" warns of.
      expect(upstream.value()).toBe(LONG);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('first')).toEqual(ONCE);
    });

    it('never runs after its retry if only its last record is held back, as MTE', async () => {
      const { tunnel, upstream } = await start();
      const begun: BegunDelivery[] = [];

      const outcome = await tunnel.send({ ...FIRST, body: LONG, type: 'MTE' }, (message) => {
        begun.push(deliverAllButTheLastRecord(tunnel.inbound.relay.url, message));
        return undefined;
      });
      expect(await tunnel.send(SECOND)).toEqual(OK);
      const late = await begun[0]!.finish();

      expect(upstream.value()).toBe('two');
      expect(tunnel.executions('first')).toEqual(ONCE);
      expect(outcome).toEqual(OK);
      expect(summaryOf(late)).toEqual(REPLAYED);
    });
  });

  describe('#45 a PUT that is held back while its sender is given the response of another relay', () => {
    it.each([
      ['runs once if it is delivered in time', 0, 1],
      ['never runs if it is delivered late', LATE_MS, 0],
    ])('is not retried, and %s', async (_, heldMs, runs) => {
      const { tunnel, upstream } = await start();
      const other = await tunnel.addRelay('C');

      const outcome = await tunnel.send(FIRST, other.deliver);
      const [held] = tunnel.path.messages.items;
      expect(await tunnel.send(SECOND)).toEqual(OK);
      tunnel.advance(heldMs);
      await tunnel.inbound.deliver(held!);

      expect(tunnel.executions('first')).toEqual({ A: 0, B: runs, C: 0 });
      expect(outcome).toEqual(MAYBE);
      expect(upstream.value()).toBe(runs === 0 ? 'two' : 'one');
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('first')).toEqual({ A: 0, B: runs, C: 0 });
      expect(tunnel.executions('second')).toEqual({ A: 0, B: 1, C: 0 });
    });

    it('never runs after its retry, whose response is replaced in the same way', async () => {
      const { tunnel, upstream } = await start();
      const other = await tunnel.addRelay('C');
      const { hold } = holdingAttack();

      const outcome = await tunnel.send(FIRST, hold, async (retry) => {
        await tunnel.inbound.deliver(retry);
        return other.deliver(retry);
      });
      expect(await tunnel.send(SECOND)).toEqual(OK);
      await tunnel.deliverEverythingEverywhere();

      expect(upstream.value()).toBe('two');
      expect(tunnel.executions('first')).toEqual({ A: 0, B: 1, C: 0 });
      expect(outcome).toEqual(MAYBE);
      const [first, retry] = tunnel.path.messages.items.map(messageName);
      expect(retry).toMatchObject({ sid: first?.sid, replaces: first?.sequence });
    });
  });
});
