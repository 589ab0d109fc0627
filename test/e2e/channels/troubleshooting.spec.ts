import { Clock } from '@relay/clock';
import { describe, expect, it } from 'vitest';

import { expectQuoted } from '../../support/assertions/troubleshooting.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startBalancer } from '../../support/network/balancer.js';
import { startStrippingProxy } from '../../support/network/stripping-proxy.js';
import { startRelay } from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { startTunnel } from '../../support/tunnels/tunnel.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';

const CHANNELS = 'Channels';

describe('docs/troubleshooting.md', () => {
  it('says what the log has if the path strips upgrades, over which requests go as messages', async () => {
    const tunnel = forThisTest(await startTunnel({ both: { TUNNEL_TRANSPORT: 'auto' } }));
    const proxy = forThisTest(await startStrippingProxy(tunnel.inbound.port));
    const response = await tunnel.send({ headers: { 'x-mte-upstream': proxy.url } });
    expect(response.status).toBe(200);
    await expectQuoted(tunnel.outbound, CHANNELS, [
      'requests go as messages',
      'something between the relays carries no WebSocket upgrade on /api/mte-channel',
    ]);
    await expectQuoted(tunnel.inbound, CHANNELS, ['RELAY_HEADER_MALFORMED']);
    expect((await tunnel.send({ headers: { 'x-mte-upstream': proxy.url } })).status).toBe(200);
  });

  it('says what a client gets there if only channels are allowed', async () => {
    const tunnel = forThisTest(
      await startTunnel({ both: { TUNNEL_TRANSPORT: 'channel', CONNECT_TIMEOUT_MS: '300' } }),
    );
    const proxy = forThisTest(await startStrippingProxy(tunnel.inbound.port));
    const { status, body } = await tunnel.send({ headers: { 'x-mte-upstream': proxy.url } });
    expect(status).toBe(502);
    expect(JSON.parse(body.toString())).toMatchObject({
      error: { code: 'RELAY_CHANNEL_UNAVAILABLE', forwarded: 'no' },
    });
    await expectQuoted(tunnel.outbound, CHANNELS, [
      'RELAY_CHANNEL_UNAVAILABLE',
      'requests have no channel',
    ]);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('says what the log has if the other relay has no channels, once it has refused five', async () => {
    const clock = new HandMovedClock();
    const inbound = forThisTest(await startRelay({ TUNNEL_TRANSPORT: 'message' }));
    const outbound = forThisTest(
      await startRelay({ TUNNEL_TRANSPORT: 'auto', CHANNELS_PER_PEER: '1' }, (builder) =>
        builder.overrideProvider(Clock).useValue(clock),
      ),
    );
    const client = tunnelClient(outbound.url, inbound.url);
    const refusals = () =>
      outbound.log.items.filter(({ msg }) => msg === 'requests go as messages');
    for (let count = 1; count <= 5; count += 1) {
      await client.send();
      await outbound.log.find(() => refusals().length >= count);
      clock.advance(1_000 * 2 ** (count - 1));
    }
    expect(refusals().map(({ level }) => level)).toEqual([20, 20, 20, 20, 40]);
    await expectQuoted(outbound, CHANNELS, ['the other relay refuses channels', 'status 564']);
    await expectQuoted(inbound, CHANNELS, ['TUNNEL_TRANSPORT']);
  });

  it('says why a channel broke if its connection was cut', async () => {
    const path = forThisTest(await startBalancer());
    const tunnel = forThisTest(await startTunnel({ both: { TUNNEL_TRANSPORT: 'channel' } }));
    path.add(tunnel.inbound.port);
    await tunnel.send({ headers: { 'x-mte-upstream': path.url } });
    path.cut(tunnel.inbound.port);
    await expectQuoted(tunnel.outbound, CHANNELS, ['channel broke', 'ECONNRESET']);
  });
});
