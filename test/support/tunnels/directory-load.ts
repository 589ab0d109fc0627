import { expect } from 'vitest';

import { startLoad, type LoadOutcome, type SteadyLoad } from '../clients/steady-load.js';
import { forThisTest } from '../lifecycle/resources.js';
import type { CountingUpstream } from '../upstreams/counting-upstream.js';
import { headersOf, TENANTS, type TenantName } from './directory-tunnel.js';

/** One client's requests to one tenant. */
export interface TenantLoad {
  readonly client: string;
  readonly tenant: TenantName;
  readonly load: SteadyLoad;
}

/** Starts a load of each client on each tenant that it may call, until the test ends. */
export function startTenantLoads(
  origin: string,
  clients: Readonly<Record<string, readonly TenantName[]>>,
  perSecond: number,
): readonly TenantLoad[] {
  return Object.entries(clients).flatMap(([client, tenants]) =>
    tenants.map((tenant) => {
      const headers = headersOf(client, tenant);
      return { client, tenant, load: forThisTest(startLoad({ origin, headers, perSecond })) };
    }),
  );
}

/** Resolves when each load has had this many more responses. */
export async function passAll(loads: readonly TenantLoad[], requests: number): Promise<void> {
  await Promise.all(loads.map(({ load }) => load.pass(requests)));
}

/**
 * Ends loads in which nothing may have failed: each request ran once, at the API of its tenant, and nowhere else.
 *
 * @returns the number of requests
 */
export async function endUnharmed(
  loads: readonly TenantLoad[],
  apis: Readonly<Record<TenantName, CountingUpstream>>,
): Promise<number> {
  const ended = await Promise.all(
    loads.map(async ({ tenant, load }) => ({ tenant, outcomes: await load.stop() })),
  );
  const all = ended.flatMap(({ outcomes }) => outcomes);
  expect(all.filter(({ end }) => end !== 'completed')).toEqual([]);
  const executionsOf = ({ id }: LoadOutcome): string =>
    TENANTS.map((tenant) => `${tenant} ${apis[tenant].executions(id)}`).join(', ');
  for (const { tenant, outcomes } of ended) {
    expect(outcomes.length).toBeGreaterThan(0);
    const places = new Set(outcomes.map(executionsOf));
    expect([...places]).toEqual([tenant === 'one' ? 'one 1, two 0' : 'one 0, two 1']);
  }
  return all.length;
}
