import { expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { without } from '../../support/relays/mounted-directory.js';
import { startRelay } from '../../support/relays/relay.js';
import { endUnharmed, passAll, startTenantLoads } from '../../support/tunnels/directory-load.js';
import { startDirectoryTunnel } from '../../support/tunnels/directory-tunnel.js';
import { startCountingUpstream } from '../../support/upstreams/counting-upstream.js';

const CLIENTS = 50;
/** Of each client. */
const PER_SECOND = 0.5;
const REVOKED = 'client-7';

it('the token of one of 50 clients is revoked under load, and the other 49 notice nothing', async () => {
  const apis = {
    one: forThisTest(await startCountingUpstream()),
    two: forThisTest(await startCountingUpstream()),
  };
  const names = Array.from({ length: CLIENTS }, (_, at) => `client-${at}`);
  const clients = Object.fromEntries(
    names.map((name, at) => [name, [at % 2 === 0 ? 'one' : 'two'] as const]),
  );
  const tunnel = forThisTest(
    await startDirectoryTunnel({
      apis: { one: apis.one.url, two: apis.two.url },
      clients,
      environment: { TUNNEL_TRANSPORT: 'auto' },
      start: startRelay,
    }),
  );
  const loads = startTenantLoads(tunnel.outbound.url, clients, PER_SECOND);
  await passAll(loads, 2);

  const others = without(tunnel.outboundContent.clients, REVOKED);
  tunnel.outboundFile.write({ ...tunnel.outboundContent, clients: others });
  await tunnel.outbound.log.find(({ msg }) => msg === 'the directory was replaced');
  const revokedAtMs = performance.now();
  await passAll(loads, 2);

  const ofRevoked = loads.filter(({ client }) => client === REVOKED);
  const outcomes = await ofRevoked[0]!.load.stop();
  for (const { startedAt, end, status } of outcomes) {
    // What began before the change may have been admitted, or not.
    if (startedAt > revokedAtMs) {
      expect({ end, status }).toEqual({ end: 'refused', status: 401 });
    }
  }
  expect(outcomes.filter(({ status }) => status === 401).length).toBeGreaterThan(0);
  await endUnharmed(
    loads.filter(({ client }) => client !== REVOKED),
    apis,
  );
});
