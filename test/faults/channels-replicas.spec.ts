import { beforeAll, describe, expect, it, vi } from 'vitest';

import { underLoad } from '../support/assertions/fault-under-load.js';
import type { LoadOutcome, SteadyLoad } from '../support/clients/steady-load.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startFleet, type Fleet } from '../support/processes/fleet.js';
import { channelsOpenedTo, expectUsualChannels } from '../support/assertions/usual-channels.js';
import type { Replica } from '../support/processes/replica.js';

const SAFE = ['GET', 'HEAD', 'OPTIONS'];
/** The shortest that is allowed, so that replaced relays get their share soon. */
const LIFETIME = { CHANNEL_LIFETIME_SECONDS: '10' };

/** A request that was on a channel when that broke: nobody knows what became of it, and only safe ones are sent again. */
const lostInProgress = expect.objectContaining({
  end: 'refused',
  status: 502,
  // With auto, a few requests still go as messages, whose replacement may be refused.
  code: expect.stringMatching(/^RELAY_PEER_(REFUSED_MESSAGE|CONNECTION_LOST)$/) as string,
  forwarded: 'maybe',
}) as LoadOutcome;

/** The failures without the responses that had begun and were cut off. */
const refused = (failed: readonly LoadOutcome[]): LoadOutcome[] =>
  failed.filter(({ end }) => end !== 'broken');

/** A replica that executes a request, and will for some time, which must not be sent twice. */
const busyReplica = async ({ upstream, inbound }: Fleet): Promise<Replica> => {
  const execution = await vi.waitUntil(
    () =>
      [...upstream.running].find(
        ({ method, workMs, startedAt }) =>
          method === 'POST' && performance.now() - startedAt < workMs / 2,
      ),
    { timeout: 20_000, interval: 1 },
  );
  return inbound.find(({ name }) => name === execution.replica)!;
};

describe.each(['auto', 'channel'] as const)(
  'three inbound relays with channels, under load, with TUNNEL_TRANSPORT=%s',
  (transport) => {
    const shared = sharedResources();
    let fleet: Fleet;

    beforeAll(async () => {
      fleet = shared(await startFleet({ transport, environment: LIFETIME }));
    });

    it('lose no request when they are replaced one after another, and the new ones get channels', async ({
      annotate,
    }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        for (const replica of fleet.inbound) {
          await replica.replace();
        }
        await Promise.all(fleet.inbound.map((replica) => replica.settled()));
        while (!fleet.inbound.every(({ relay }) => channelsOpenedTo(relay) > 0)) {
          await load.pass(10);
        }
      });
      await annotate(summary);

      expect(failed, summary).toEqual([]);
      await expectUsualChannels(fleet);
    });

    /** Whichever has channels: those of one that was killed move to the others. */
    const killBusyReplica = async (load: SteadyLoad): Promise<void> => {
      await (await busyReplica(fleet)).crash();
      await load.pass(20);
    };

    it('lose only what was on a channel when one after another is killed, and no safe request', async ({
      annotate,
    }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        await killBusyReplica(load);
        await killBusyReplica(load);
        await killBusyReplica(load);
      });
      await annotate(summary);

      const lost = refused(failed);
      expect(lost, summary).not.toEqual([]);
      expect(lost, summary).toEqual(lost.map(() => lostInProgress));
      expect(
        lost.filter(({ method }) => SAFE.includes(method)),
        summary,
      ).toEqual([]);
      await expectUsualChannels(fleet);
    });

    it('lose only what was on a channel when all connections are reset, and no safe request', async ({
      annotate,
    }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        for (const { relay } of fleet.inbound) {
          fleet.network.cut(relay.port);
        }
        for (const { relay } of fleet.inbound) {
          fleet.network.heal(relay.port);
        }
        await load.pass(40);
      });
      await annotate(summary);

      const lost = refused(failed);
      expect(lost, summary).toEqual(lost.map(() => lostInProgress));
      expect(
        lost.filter(({ method }) => SAFE.includes(method)),
        summary,
      ).toEqual([]);
      await expectUsualChannels(fleet);
    });
  },
);
