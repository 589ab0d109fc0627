import { beforeAll, describe, expect, it, vi } from 'vitest';

import { startFleet, type Fleet } from '../support/fleet.js';
import { underLoad } from '../support/phase.js';
import { isSlow } from '../support/property.js';
import type { Replica } from '../support/replica.js';
import { sharedResources } from '../support/resources.js';
import type { LoadOutcome } from '../support/steady-load.js';

const UNSAFE = ['POST', 'PATCH'];

const shared = sharedResources();
let fleet: Fleet;
let replicas: readonly Replica[];

beforeAll(async () => {
  fleet = shared(await startFleet());
  replicas = fleet.inbound;
});

/** A replica at a moment at which it has a request under way that may not be sent twice, and for some time yet. */
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

/** A request whose connection broke: it could not be sent twice, and nobody knows what became of it. */
const lostUnderWay = expect.objectContaining({
  end: 'refused',
  status: 502,
  code: 'RELAY_PEER_CONNECTION_LOST',
  forwarded: 'maybe',
}) as LoadOutcome;

/** What is left when answers that had begun, and broke off, are taken away. */
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

  /** A connection that the system has taken for a process that closes its door just then is reset. */
  it.runIf(isSlow)(
    'lose at most a POST or PATCH when each is started again at its address, with nobody told',
    async ({ annotate }) => {
      const { failed, summary } = await underLoad(fleet, async () => {
        for (const replica of replicas) {
          await replica.restart();
        }
      });
      await annotate(summary);

      expect(failed, summary).toEqual(failed.map(() => lostUnderWay));
      expect(UNSAFE, summary).toEqual(expect.arrayContaining(failed.map(({ method }) => method)));
    },
  );

  it('lose only what was under way when one is killed', async ({ annotate }) => {
    const { failed, summary } = await underLoad(fleet, async () => {
      await (await busyReplica()).crash();
    });
    await annotate(summary);

    const lost = refused(failed);
    expect(lost, summary).not.toEqual([]);
    expect(lost, summary).toEqual(lost.map(() => lostUnderWay));
    expect(UNSAFE, summary).toEqual(expect.arrayContaining(lost.map(({ method }) => method)));
  });

  it('lose only what was under way when the network to one breaks', async ({ annotate }) => {
    const { failed, summary } = await underLoad(fleet, async (load) => {
      const { relay } = await busyReplica();
      fleet.network.cut(relay.port);
      await load.pass(60);
      fleet.network.heal(relay.port);
    });
    await annotate(summary);

    const lost = refused(failed);
    expect(lost, summary).not.toEqual([]);
    expect(lost, summary).toEqual(lost.map(() => lostUnderWay));
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
