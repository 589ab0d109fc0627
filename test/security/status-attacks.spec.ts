import { MAX_REFUSALS, type StatusReport } from '@relay/status';
import { beforeAll, expect, it } from 'vitest';

import { StatusService } from '../../apps/relay/src/status/status.service.js';
import { TrafficWatch } from '../../apps/relay/src/status/traffic-watch.js';
import { request } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { tunnelClient } from '../support/tunnels/tunnel-client.js';
import { startUpstream } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let inbound: TestRelay;

beforeAll(async () => {
  const upstream = shared(await startUpstream());
  inbound = shared(await startRelay({ UPSTREAM: upstream.url, ADMIN_PORT: '0' }));
});

const startOutbound = async (): Promise<TestRelay> =>
  forThisTest(await startRelay({ ADMIN_PORT: '0' }));

const reportOf = async ({ app }: TestRelay): Promise<StatusReport> =>
  (await app.get(StatusService, { strict: false }).current()).report;

it('#121 a flood of refusals without a token does not hide that a peer is unreachable', async () => {
  const relay = await startOutbound();
  await tunnelClient(relay.url, 'http://127.0.0.1:9').send();
  for (let count = 0; count < MAX_REFUSALS + 20; count += 1) {
    await request(relay.url, { path: '/' });
  }
  const { refusals } = await reportOf(relay);
  expect(refusals).toHaveLength(MAX_REFUSALS);
  expect(refusals[0]?.code).toBe('RELAY_TOKEN_MISSING');
  expect(refusals.at(-1)?.code).toBe('RELAY_PEER_UNREACHABLE');
});

it('#121 a forged message is not counted as one of the peer', async () => {
  const forged = { 'x-mte-relay': '1', 'x-mte-client-id': 'forged' };
  await request(inbound.url, { method: 'POST', path: '/api/mte-relay', headers: forged });
  const { peers, refusals } = await reportOf(inbound);
  expect(refusals[0]?.role).toBe('inbound');
  expect(peers.find(({ role }) => role === 'inbound')).toMatchObject({
    state: 'unused',
    traffic: { requests: 0, errors: 0 },
    lastRefusal: undefined,
  });
});

it('#121 the peers that a client names do not add up in memory, and the one in use stays', async () => {
  const relay = await startOutbound();
  const tunnel = tunnelClient(relay.url, inbound.url);
  await tunnel.send();
  const key = ` ${inbound.url}`;
  const { peersCalled } = relay.app.get(TrafficWatch, { strict: false });
  for (let port = 1; port <= 230; port += 1) {
    await tunnelClient(relay.url, `http://127.0.0.2:${port}`).send();
    if (port % 50 === 0) {
      await tunnel.send();
    }
  }
  expect(peersCalled.find(' http://127.0.0.2:1')).toBeUndefined();
  expect(peersCalled.find(' http://127.0.0.2:230')).toBeDefined();
  expect(peersCalled.find(key)?.counts(Date.now()).requests).toBe(5);
});
