import { describe, expect, it } from 'vitest';

import { holdingAttack, type MessageAttack } from '../support/attackers/redirecting-path.js';
import { summaryOf } from '../support/protocol/tunnel-message.js';
import { ProofTunnel, sharedStore } from '../support/tunnels/proof-tunnel.js';

const POST = { id: 'pay' };
const MINUTE_MS = 60_000;
const OK = { status: 200 };
const MAYBE = { status: 502, forwarded: 'maybe' };
const NOT_FORWARDED = { status: 502, forwarded: 'no' };
/** The number of the message is consumed, and the message was not forwarded. */
const TOO_LATE = { status: 562, isNeverForwarded: true };
const REPLAYED = { status: 565, isNeverForwarded: false };

describe.each(['memory://', 'redis://'])('%s', (store) => {
  const start = async (outbound = {}) => {
    const REDIS_URL = store === 'redis://' ? await sharedStore() : store;
    const tunnel = await ProofTunnel.start({ inbound: { REDIS_URL }, outbound });
    const responses: unknown[] = [];
    const delayedBy =
      (ms: number): MessageAttack =>
      async (message) => {
        tunnel.advance(ms);
        const response = await tunnel.inbound.deliver(message);
        responses.push(summaryOf(response));
        return response;
      };
    return { tunnel, responses, delayedBy };
  };

  describe('#46 a POST that is held back for a minute', () => {
    it.each(['MKE', 'MTE'] as const)('does not run: its retry does, once (%s)', async (type) => {
      const { tunnel, responses, delayedBy } = await start();

      expect(await tunnel.send({ ...POST, type }, delayedBy(MINUTE_MS))).toEqual(OK);

      expect(responses).toEqual([TOO_LATE]);
      expect(tunnel.path.messages.items.length).toBe(2);
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
    });

    it('never runs if its retry is held back too, and its client is told "no"', async () => {
      const { tunnel, responses, delayedBy } = await start();
      const delayed = delayedBy(MINUTE_MS);

      expect(await tunnel.send(POST, delayed, delayed)).toEqual(NOT_FORWARDED);

      expect(responses).toEqual([TOO_LATE, TOO_LATE]);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
    });

    it('never runs with RETRY_UNSAFE_METHODS=false, and its client is told "no"', async () => {
      const { tunnel, responses, delayedBy } = await start({ RETRY_UNSAFE_METHODS: 'false' });

      expect(await tunnel.send(POST, delayedBy(MINUTE_MS))).toEqual(NOT_FORWARDED);

      expect(responses).toEqual([TOO_LATE]);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
    });

    it('never runs if its connections break, and its client is told "maybe"', async () => {
      const { tunnel } = await start();
      const { held, hold } = holdingAttack();

      expect(await tunnel.send(POST, hold, hold)).toEqual(MAYBE);
      tunnel.advance(MINUTE_MS);
      const late = [];
      for (const message of held) {
        late.push(summaryOf(await tunnel.inbound.deliver(message)));
      }

      // The number that the second message replaces has been consumed by then.
      expect(late).toEqual([TOO_LATE, REPLAYED]);
      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
    });

    it('never runs if its connection breaks and its retry is held back, and its client is told "no"', async () => {
      const { tunnel, responses, delayedBy } = await start();
      const { hold } = holdingAttack();

      const outcome = await tunnel.send(POST, hold, delayedBy(MINUTE_MS));

      await tunnel.deliverEverythingEverywhere();
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 0 });
      // Relay B has consumed both numbers, so what it signs about the retry holds for both.
      expect(responses).toEqual([TOO_LATE]);
      expect(outcome).toEqual(NOT_FORWARDED);
    });

    it('is refused as a replay if it had run before', async () => {
      const { tunnel, responses, delayedBy } = await start();

      const outcome = await tunnel.send(POST, async (message) => {
        await tunnel.inbound.deliver(message);
        return delayedBy(MINUTE_MS)(message);
      });

      expect(outcome).toEqual(MAYBE);
      expect(responses).toEqual([REPLAYED]);
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
    });

    it('runs if it is only a little late', async () => {
      const { tunnel, responses, delayedBy } = await start();

      expect(await tunnel.send(POST, delayedBy(MINUTE_MS / 3))).toEqual(OK);

      expect(responses).toEqual([{ status: 200 }]);
      expect(tunnel.executions('pay')).toEqual({ A: 0, B: 1 });
    });
  });
});
