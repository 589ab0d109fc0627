import { deriveSecretKeys } from '@relay/protocol';
import { describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { samplesOf } from '../support/relays/admin.js';
import { SECRET, startRelay, type TestRelay } from '../support/relays/relay.js';
import { deliverTo } from '../support/attackers/man-in-the-middle.js';
import { startTunnel } from '../support/tunnels/tunnel.js';

const LINES_PER_MINUTE = 100;
const FLOOD = 250;
const WITH_METRICS = { ADMIN_PORT: '0' };

const linesWith = ({ log }: TestRelay, code: string): number =>
  log.items.filter((line) => line['code'] === code).length;

/** Sends a flood of refused requests, and expects a limited number of lines and a complete count of them. */
async function expectLimitedLines(
  relay: TestRelay,
  { role, code }: { readonly role: string; readonly code: string },
  send: () => Promise<unknown>,
): Promise<void> {
  const startedAt = performance.now();
  for (let sent = 0; sent < FLOOD; sent += 1) {
    await send();
  }
  // The limit refills during the test.
  const minutes = (performance.now() - startedAt) / 60_000;
  expect(linesWith(relay, code)).toBeGreaterThanOrEqual(LINES_PER_MINUTE);
  expect(linesWith(relay, code)).toBeLessThanOrEqual(Math.ceil(LINES_PER_MINUTE * (1 + minutes)));
  const counted = (await samplesOf(relay)).get(
    `mte_relay_requests_total{role="${role}",code="${code}"}`,
  );
  expect(counted).toBe(FLOOD);
}

describe('#34 the log lines about refusals of one network', { timeout: 120_000 }, () => {
  it('are limited for a message that is replayed, and each replay is counted', async () => {
    const tunnel = forThisTest(await startTunnel({ inbound: WITH_METRICS }));
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const message = peer.seal({ body: ['once'] });
    expect(await peer.deliver(message)).toMatchObject({ status: 200 });

    await expectLimitedLines(
      tunnel.inbound,
      { role: 'inbound', code: 'RELAY_MESSAGE_REPLAYED' },
      async () => {
        expect(await peer.deliver(message)).toMatchObject({ status: 565 });
      },
    );

    expect(await tunnel.send()).toMatchObject({ status: 200 });
  });

  it('are limited for a pairing that is replayed, and each replay is counted', async () => {
    const relay = forThisTest(await startRelay(WITH_METRICS));
    const keys = await deriveSecretKeys(SECRET);
    const { request: pairing } = await pairingRequest(relay.url, keys);
    expect(await deliverTo(relay.url, pairing)).toMatchObject({ status: 200 });

    await expectLimitedLines(relay, { role: 'pairing', code: 'RELAY_PAIR_REPLAYED' }, async () => {
      expect(await deliverTo(relay.url, pairing)).toMatchObject({ status: 565 });
    });
  });

  it('are limited for messages and client requests beyond the limit of concurrent requests', async () => {
    const environment = { ...WITH_METRICS, MAX_CONCURRENT_REQUESTS: '1' };
    const tunnel = forThisTest(await startTunnel({ inbound: environment, outbound: WITH_METRICS }));
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const reached = new Promise<() => void>((resolve) => {
      tunnel.upstream.handle((_request, response) => {
        resolve(() => response.end());
      });
    });
    const waiting = tunnel.send();
    const finish = await reached;

    await expectLimitedLines(
      tunnel.inbound,
      { role: 'inbound', code: 'RELAY_OVERLOADED' },
      async () => {
        expect(await peer.deliver(peer.seal())).toMatchObject({ status: 564 });
      },
    );
    await expectLimitedLines(
      tunnel.outbound,
      { role: 'outbound', code: 'RELAY_BUSY' },
      async () => {
        expect(await tunnel.send()).toMatchObject({ status: 503 });
      },
    );

    finish();
    expect(await waiting).toMatchObject({ status: 200 });
  });

  it('are limited for heads that are refused on the way to a pass-through route', async () => {
    const relay = forThisTest(await startRelay(WITH_METRICS));

    await expectLimitedLines(
      relay,
      { role: 'pass-through', code: 'RELAY_HEAD_INVALID' },
      async () => {
        expect(await request(relay.url, { path: '//elsewhere' })).toMatchObject({ status: 400 });
      },
    );
  });

  it('about one code do not use up the lines about another', async () => {
    const tunnel = forThisTest(await startTunnel());
    const peer = await ProtocolClient.pair(tunnel.inbound.url);
    const message = peer.seal();
    await peer.deliver(message);
    for (let sent = 0; sent < 2 * LINES_PER_MINUTE; sent += 1) {
      await peer.deliver(message);
    }
    const { request: pairing } = await pairingRequest(tunnel.inbound.url, peer.secretKeys);
    await deliverTo(tunnel.inbound.url, pairing);

    await deliverTo(tunnel.inbound.url, pairing);

    expect(linesWith(tunnel.inbound, 'RELAY_PAIR_REPLAYED')).toBe(1);
  });
});
