import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import { startFleet, type Fleet } from '../support/processes/fleet.js';
import { underLoad } from '../support/assertions/fault-under-load.js';
import type { RelayEnvironment } from '../support/relays/relay.js';
import type { Replica } from '../support/processes/replica.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const shared = sharedResources();
let fleet: Fleet;

beforeAll(async () => {
  fleet = shared(await startFleet());
});

const replaceAll = (replicas: readonly Replica[], changes: RelayEnvironment): Promise<unknown> =>
  Promise.all(replicas.map((replica) => replica.replace(changes)));

/** protocol.md section 1. */
describe('a new CLIENT_ID_SECRET, introduced by four steps of restarts under load (#39)', () => {
  it('loses no request', async ({ annotate }) => {
    const { inbound, outbound, secret } = fleet;
    const next = randomBytes(32).toString('base64url');
    const { failed, summary } = await underLoad(fleet, async () => {
      await replaceAll(inbound, { CLIENT_ID_SECRET_ALT: next });
      await replaceAll(outbound, { CLIENT_ID_SECRET: next });
      await replaceAll(inbound, { CLIENT_ID_SECRET: next, CLIENT_ID_SECRET_ALT: secret });
      await Promise.all(outbound.map((replica) => replica.settled()));
      await replaceAll(inbound, { CLIENT_ID_SECRET_ALT: '' });
    });
    await annotate(summary);

    expect(failed, summary).toEqual([]);
  });

  it('makes the old one useless: a relay that still has it cannot pair', async () => {
    const [straggler] = fleet.outbound;
    await straggler!.replace({ CLIENT_ID_SECRET: fleet.secret });
    const load = fleet.load();
    const refused = await load.outcomes.find(({ code }) => code !== undefined);
    await load.stop();

    expect(refused).toMatchObject({ status: 502, code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(fleet.upstream.executions(refused.id)).toBe(0);
  });
});
