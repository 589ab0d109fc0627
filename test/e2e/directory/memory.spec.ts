import type { Directory } from '@relay/config';
import { expect, it } from 'vitest';

import { DirectoryService } from '../../../apps/relay/src/directory/directory.service.js';
import { request } from '../../support/clients/client.js';
import { collectGarbage } from '../../support/lifecycle/collect-garbage.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import {
  headersOf,
  startDirectoryTunnel,
  TENANTS,
} from '../../support/tunnels/directory-tunnel.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

const WARM_ROUNDS = 100;
const ROUNDS = 1_000;
const ROUNDS_PER_REQUEST = 20;
/** What is kept of a tenant alone, with its connections, comes to more than 5 KiB for each round. */
const MAX_GROWTH_BYTES = 3 * 1024 * 1024;
const CLOSE_LIMIT_MS = 30_000;

/** The same directory, with another state of each entry, and clients of other names. */
const altered = ({ peers, clients, tenants }: Directory, round: number): Directory => ({
  peers: peers.map((peer) => ({
    ...peer,
    proxy: undefined,
    transport: round % 2 === 0 ? 'message' : 'auto',
  })),
  clients: clients.map((client) =>
    client.name === 'carol'
      ? client
      : { ...client, name: `${client.name.split('-')[0]!}-${round}` },
  ),
  tenants: tenants.map((tenant) => ({ ...tenant, routes: [`/round-${round}/*`, '/*'] })),
});

it('1,000 changes of peers, clients and tenants that are in use leave nothing behind', async () => {
  const api = forThisTest(await startUpstream());
  const tunnel = forThisTest(
    await startDirectoryTunnel({
      apis: { one: api.url, two: api.url },
      clients: { alice: ['one'], bob: ['two'], carol: ['one', 'two'] },
      environment: { TUNNEL_TRANSPORT: 'auto' },
      start: startRelay,
    }),
  );
  const replace = async ({ app }: TestRelay, round: number): Promise<void> => {
    const directory = app.get(DirectoryService);
    expect(await directory.replace(altered(directory.current.entries, round))).toBe(true);
  };
  const change = async (from: number, to: number): Promise<void> => {
    for (let round = from; round < to; round += 1) {
      await Promise.all([replace(tunnel.outbound, round), replace(tunnel.inbound, round)]);
      for (const tenant of round % ROUNDS_PER_REQUEST === 0 ? TENANTS : []) {
        const headers = headersOf('carol', tenant);
        expect((await request(tunnel.outbound.url, { headers })).status).toBe(200);
      }
    }
    api.forget();
    tunnel.outbound.log.items.length = 0;
    tunnel.inbound.log.items.length = 0;
  };
  const heapUsed = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  await change(1, WARM_ROUNDS);
  const before = heapUsed();

  await change(WARM_ROUNDS, WARM_ROUNDS + ROUNDS);

  // The connections of removed tenants are closed within seconds, when they have been idle.
  await expect
    .poll(() => heapUsed() - before, { timeout: CLOSE_LIMIT_MS, interval: 500 })
    .toBeLessThan(MAX_GROWTH_BYTES);
});
