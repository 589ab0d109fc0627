import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it, vi } from 'vitest';

import { underLoad, type LoadedFleet } from '../support/assertions/fault-under-load.js';
import { startLoad } from '../support/clients/steady-load.js';
import { sharedResources, type Closable } from '../support/lifecycle/resources.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { Replica } from '../support/processes/replica.js';
import { TOKEN } from '../support/relays/relay.js';
import { PEER, peerWithOrigins } from '../support/tunnels/origins-tunnel.js';
import { startCountingUpstream } from '../support/upstreams/counting-upstream.js';

const PER_SECOND = 40;
/** After this time the outbound relay has noticed that a process has gone, on however slow a machine. */
const NOTICED_MS = 5_000;
const LIMIT = { timeout: 40_000, interval: 20 };

/** An outbound relay that knows three inbound ones as the origins of one peer, without a load balancer. */
async function startOrigins(transport: string): Promise<LoadedFleet & Closable> {
  const secret = randomBytes(32).toString('base64url');
  const [upstream, folder] = await Promise.all([startCountingUpstream(), temporaryFolder()]);
  const inbound = ['B1', 'B2', 'B3'].map(
    (name) =>
      new Replica(name, {
        CLIENT_ID_SECRET: secret,
        UPSTREAM: upstream.url,
        TUNNEL_TRANSPORT: 'auto',
      }),
  );
  await Promise.all(inbound.map((replica) => replica.start()));
  const origins = inbound.map(({ relay }) => relay.url);
  const outbound = new Replica(
    'A',
    await peerWithOrigins(folder.path, origins, { transport, secret }),
  );
  await outbound.start();
  return {
    inbound,
    replicas: [outbound, ...inbound],
    upstream,
    seen: undefined,
    load: () =>
      startLoad({
        origin: outbound.relay.url,
        headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': PEER },
        perSecond: PER_SECOND,
        withMte: transport !== 'channel',
      }),
    close: async () => {
      await Promise.all([outbound, ...inbound].map((replica) => replica.close()));
      await Promise.all([upstream.close(), folder.close()]);
    },
  };
}

/** How many requests each of the current processes has forwarded. */
const forwardedBy = ({ inbound }: LoadedFleet): number[] =>
  inbound.map(
    ({ relay }) =>
      relay.log.items.filter(({ msg, role }) => msg === 'request completed' && role === 'inbound')
        .length,
  );

/** An origin through which a POST is running, and will be for some time. */
const busyOrigin = async ({ upstream, inbound }: LoadedFleet): Promise<Replica> => {
  const { replica } = await vi.waitUntil(
    () =>
      [...upstream.running].find(
        ({ method, workMs, startedAt }) =>
          method === 'POST' && performance.now() - startedAt < workMs / 2,
      ),
    { ...LIMIT, interval: 1 },
  );
  return inbound.find(({ name }) => name === replica)!;
};

describe.each(['message', 'auto'])(
  'three origins that are restarted under load, with transport %s,',
  (transport) => {
    const shared = sharedResources();
    let fleet: LoadedFleet;

    beforeAll(async () => {
      fleet = shared(await startOrigins(transport));
    });

    it('lose no request when they are stopped one after the other', async ({ annotate }) => {
      const { failed, summary } = await underLoad(fleet, async (load) => {
        for (const origin of fleet.inbound) {
          await origin.restart();
          await vi.waitUntil(() => forwardedBy(fleet).every((requests) => requests > 0), LIMIT);
          await load.pass(20);
        }
      });
      await annotate(summary);

      expect(failed, summary).toEqual([]);
    });
  },
);

describe.each(['message', 'auto', 'channel'])(
  'one of three origins that is killed under load, with transport %s,',
  (transport) => {
    const shared = sharedResources();
    let fleet: LoadedFleet;

    beforeAll(async () => {
      fleet = shared(await startOrigins(transport));
    });

    it('costs only what may have run, runs nothing twice, and has its share again once it is back: #104', async ({
      annotate,
    }) => {
      let killedAt = 0;
      let sharesAfterwards: number[] = [];
      const { outcomes, failed, summary } = await underLoad(fleet, async (load) => {
        const origin = await busyOrigin(fleet);
        killedAt = performance.now();
        await origin.crash();
        await vi.waitUntil(() => forwardedBy(fleet).every((requests) => requests > 0), LIMIT);
        const before = forwardedBy(fleet);
        await load.pass(90);
        sharesAfterwards = forwardedBy(fleet).map((requests, at) => requests - before[at]!);
      });
      await annotate(summary);

      // Whatever could be saved was: a proof that nothing was forwarded would have led to another origin.
      const refused = failed.filter(({ end, method }) => end === 'refused' && method !== 'HEAD');
      expect(
        refused.filter(({ forwarded }) => forwarded !== 'maybe'),
        summary,
      ).toEqual([]);
      expect(
        failed.filter(({ startedAt }) => startedAt > killedAt + NOTICED_MS),
        summary,
      ).toEqual([]);
      // Not even a GET, which may run twice at one origin.
      expect(
        outcomes.filter(({ id }) => fleet.upstream.executions(id) > 1),
        summary,
      ).toEqual([]);
      expect(Math.min(...sharesAfterwards), sharesAfterwards.join(', ')).toBeGreaterThan(15);
    });
  },
);
