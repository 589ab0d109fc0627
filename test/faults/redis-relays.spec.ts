import { beforeAll, describe, expect, it, vi } from 'vitest';

import { startFleet, type Fleet } from '../support/processes/fleet.js';
import { underLoad } from '../support/assertions/fault-under-load.js';
import { isSlow } from '../support/lifecycle/property.js';
import type { Replica } from '../support/processes/replica.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import type { LoadOutcome } from '../support/clients/steady-load.js';

const UNSAFE = ['POST', 'PATCH', 'PUT', 'DELETE'];

const shared = sharedResources();
let fleet: Fleet;
let replicas: readonly Replica[];

beforeAll(async () => {
  fleet = shared(await startFleet());
  replicas = fleet.inbound;
});

/** A replica that is busy, and will be for some time, with a request that must not be sent twice. */
const busyReplica = async (): Promise<Replica> => {
  const execution = await vi.waitUntil(
    () =>
      [...fleet.upstream.running].find(
        ({ method, workMs, startedAt }) =>
          method === 'POST' && performance.now() - startedAt < workMs / 2,
      ),
    { timeout: 10_000, interval: 1 },
  );
  return replicas.find(({ name }) => name === execution.replica)!;
};

/**
 * A request whose connection broke while a relay forwarded it. Its replacement was refused, since the first message had been
 * consumed, or lost its connection as well: nobody knows what became of the first.
 */
const lostInProgress = expect.objectContaining({
  end: 'refused',
  status: 502,
  code: expect.stringMatching(/^RELAY_PEER_(REFUSED_MESSAGE|CONNECTION_LOST)$/) as string,
  forwarded: 'maybe',
}) as LoadOutcome;

/** The failures without the responses that had begun and were cut off. */
const refused = (failed: readonly LoadOutcome[]): LoadOutcome[] =>
  failed.filter(({ end }) => end !== 'broken');

describe('three inbound relays on one Redis, under load', () => {
  it('lose no request when they are replaced one after another', async ({ annotate }) => {
    const { failed, summary } = await underLoad(fleet, async () => {
      for (const replica of replicas) {
        await replica.replace();
      }
      await Promise.all(replicas.map((replica) => replica.settled()));
    });
    await annotate(summary);

    expect(failed, summary).toEqual([]);
  });

  /** A connection that the system accepts for a process just as it stops listening is reset. */
  it.runIf(isSlow)(
    'lose only requests that change something, if any, when each is restarted at its address without notice',
    async ({ annotate }) => {
      const { failed, summary } = await underLoad(fleet, async () => {
        for (const replica of replicas) {
          await replica.restart();
        }
      });
      await annotate(summary);

      expect(failed, summary).toEqual(failed.map(() => lostInProgress));
      expect(UNSAFE, summary).toEqual(expect.arrayContaining(failed.map(({ method }) => method)));
    },
  );

  it('lose only requests in progress that change something when one is killed', async ({
    annotate,
  }) => {
    const { failed, summary } = await underLoad(fleet, async () => {
      await (await busyReplica()).crash();
    });
    await annotate(summary);

    const lost = refused(failed);
    expect(lost, summary).not.toEqual([]);
    expect(lost, summary).toEqual(lost.map(() => lostInProgress));
    expect(UNSAFE, summary).toEqual(expect.arrayContaining(lost.map(({ method }) => method)));
  });

  it('lose only requests in progress that change something when the network to one breaks', async ({
    annotate,
  }) => {
    const { failed, summary } = await underLoad(fleet, async (load) => {
      const { relay } = await busyReplica();
      fleet.network.cut(relay.port);
      await load.pass(60);
      fleet.network.heal(relay.port);
    });
    await annotate(summary);

    const lost = refused(failed);
    expect(lost, summary).not.toEqual([]);
    expect(lost, summary).toEqual(lost.map(() => lostInProgress));
    expect(UNSAFE, summary).toEqual(expect.arrayContaining(lost.map(({ method }) => method)));
  });

  it.runIf(isSlow)(
    'lose no request when the network to one is silent for a while',
    async ({ annotate }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        const { relay } = await busyReplica();
        fleet.network.silence(relay.port);
        await load.pass(80);
        fleet.network.heal(relay.port);
      });
      await annotate(summary);

      expect(failed, summary).toEqual([]);
    },
  );
});
