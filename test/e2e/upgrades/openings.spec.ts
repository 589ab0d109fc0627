import { SessionService } from '@relay/session';
import { expect, it, vi } from 'vitest';

import { openWebSocket } from '../../support/clients/upgrade-clients.js';
import { errorOf, request } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { samplesOf } from '../../support/relays/admin.js';
import { startRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { UPGRADES } from '../../support/tunnels/upgrade-processes.js';
import { startUpgradeUpstream } from '../../support/upstreams/upgrade-upstream.js';

it('an upgrade whose channel is not accepted within 5 s is 504, not 501: the next may be in time', async () => {
  const upstream = forThisTest(await startUpgradeUpstream());
  const inbound = forThisTest(await startRelay({ ...UPGRADES, UPSTREAM: upstream.url }));
  const outbound = forThisTest(await startRelay(UPGRADES));
  const { clientHeaders } = tunnelClient(outbound.url, inbound.url);
  const sessions = inbound.app.get(SessionService);
  const mark = sessions.mark.bind(sessions);
  let goOn = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  vi.spyOn(sessions, 'mark').mockImplementationOnce(async (session, header) => {
    await late;
    await mark(session, header);
  });

  const response = await request(outbound.url, {
    path: '/late',
    headers: { ...clientHeaders, connection: 'upgrade', upgrade: 'websocket' },
  });

  expect(response.status).toBe(504);
  expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_TIMEOUT', forwarded: 'no' });
  goOn();
  const { echo } = forThisTest(await openWebSocket(outbound.url, clientHeaders));
  expect(await echo('in time')).toBe('in time');
  expect(upstream.upgrades.items.map(({ url }) => url)).toEqual(['/']);
  // The late one has given its place back.
  await expect
    .poll(async () =>
      (await samplesOf(inbound)).get('mte_relay_upgraded_connections{role="inbound"}'),
    )
    .toBe(1);
});
