import { beforeAll, describe, expect, it } from 'vitest';

import { samplesOf } from '../support/relays/admin.js';
import { request } from '../support/clients/client.js';
import { startRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { IS_OVER_CHANNELS } from '../support/tunnels/transport.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: { ADMIN_PORT: '0' } }));
});

async function readinessOf(url: string): Promise<{ status: number; body: unknown }> {
  const { status, body } = await request(url, { path: '/health/ready' });
  return { status, body: JSON.parse(body.toString()) };
}

describe('/metrics', () => {
  it('counts a request at both relays', async () => {
    await tunnel.send({ method: 'POST', body: 'twelve bytes' });
    await tunnel.send({ headers: { 'x-mte-outbound-token': 'wrong' } });
    const outbound = await samplesOf(tunnel.outbound);
    const inbound = await samplesOf(tunnel.inbound);

    expect(Object.fromEntries(outbound)).toMatchObject({
      'mte_relay_requests_total{role="outbound",code="ok"}': 1,
      'mte_relay_requests_total{role="outbound",code="RELAY_TOKEN_INVALID"}': 1,
      'mte_relay_body_bytes_total{role="outbound",direction="in"}': 12,
      'mte_relay_body_bytes_total{role="outbound",direction="out"}': 12,
      'mte_relay_pairings_total{code="ok",reason="first"}': 1,
      'mte_relay_peers{state="known"}': 1,
      'mte_relay_peers{state="paired"}': 1,
      'mte_relay_peers{state="unreachable"}': 0,
      'mte_relay_open_sockets{side="peers"}': IS_OVER_CHANNELS ? 0 : 1,
      mte_relay_retries_total: 0,
      mte_relay_store_available: 1,
      'mte_relay_held_bytes{type="mte"}': 0,
    });
    expect(Object.fromEntries(inbound)).toMatchObject({
      // The openings of channels are requests, too.
      'mte_relay_requests_total{role="inbound",code="ok"}': IS_OVER_CHANNELS
        ? (expect.any(Number) as number)
        : 1,
      'mte_relay_requests_total{role="pairing",code="ok"}': 1,
      'mte_relay_body_bytes_total{role="inbound",direction="in"}': 12,
      'mte_relay_replays_refused_total{role="inbound"}': 0,
      'mte_relay_signature_failures_total{role="pairing"}': 0,
      'mte_relay_store_errors_total{operation="mark"}': 0,
      'mte_relay_open_sockets{side="upstream"}': 1,
    });
    // Each relay has received exactly the sealed bytes that the other has sent.
    for (const [sender, receiver] of [
      [outbound, inbound],
      [inbound, outbound],
    ] as const) {
      const bytes = (samples: typeof outbound, direction: string) =>
        [...samples].find(
          ([name, value]) =>
            name.startsWith('mte_relay_sealed_bytes_total') &&
            name.includes(direction) &&
            value > 0,
        )?.[1];
      // A head record is padded to 256 bytes; what streams share of records is not counted.
      expect(bytes(sender, 'direction="out"')).toBeGreaterThan(IS_OVER_CHANNELS ? 12 : 256);
      expect(bytes(sender, 'direction="out"')).toBe(bytes(receiver, 'direction="in"'));
    }
    expect(outbound.get('mte_relay_open_sockets{side="listener"}')).toBeGreaterThanOrEqual(0);
  });
});

describe('/health/ready', () => {
  it('reports the peers and the upstream in the format of Terminus', async () => {
    const relay = forThisTest(await startRelay());
    const fresh = {
      process: { status: 'up' },
      sessionStore: { status: 'up', responseTime: expect.any(Number) as number },
      peers: { status: 'up', known: 0, paired: 0, unreachable: 0 },
      channels: { status: 'up', open: 0, streams: 0, fallbacks: 0 },
      upstream: { status: 'up', lastConnect: 'unknown' },
      audience: { status: 'up', relayAudience: 'unset' },
      directory: { status: 'up', file: 'in use', peers: 1, clients: 1, tenants: 1 },
    };
    expect(await readinessOf(relay.url)).toEqual({
      status: 200,
      body: { status: 'ok', info: fresh, error: {}, details: fresh },
    });
  });

  it('shows that RELAY_AUDIENCE is set, without its value', async () => {
    const relay = forThisTest(await startRelay({ RELAY_AUDIENCE: 'https://canary.example' }));
    const ready = await readinessOf(relay.url);
    expect(ready).toMatchObject({
      status: 200,
      body: { info: { audience: { status: 'up', relayAudience: 'set' } } },
    });
    expect(JSON.stringify(ready)).not.toContain('canary');
  });

  it('stays 200 while a peer and the upstream are unreachable', async () => {
    const alone = forThisTest(await startTunnel({ inbound: { UPSTREAM: 'http://127.0.0.1:9' } }));
    await alone.send();
    await alone.send({ headers: { 'x-mte-upstream': 'http://127.0.0.1:9' } });

    expect(await readinessOf(alone.outbound.url)).toMatchObject({
      status: 200,
      body: { info: { peers: { status: 'up', known: 2, paired: 1, unreachable: 1 } } },
    });
    expect(await readinessOf(alone.inbound.url)).toMatchObject({
      status: 200,
      body: { info: { upstream: { status: 'up', lastConnect: 'unreachable' } } },
    });
  });
});
