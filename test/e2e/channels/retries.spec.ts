import { describe, expect, it } from 'vitest';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { startBalancer } from '../../support/network/balancer.js';
import { startRelay } from '../../support/relays/relay.js';
import { startRedisServer } from '../../support/redis/redis-server.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startUpstream } from '../../support/upstreams/upstream.js';

const channelsOpened = ({ log }: Awaited<ReturnType<typeof startRelay>>): number =>
  log.items.filter(({ msg, role }) => msg === 'channel opened' && role === 'outbound').length;

describe.each(['auto', 'channel'])('with TUNNEL_TRANSPORT=%s', (transport) => {
  it('a safe request whose channel broke is not sent again on a channel that is as old', async () => {
    const redis = await startRedisServer();
    forThisTest({ close: () => redis.stop() });
    const upstream = forThisTest(await startUpstream());
    const environment = { TUNNEL_TRANSPORT: transport, REDIS_URL: redis.url };
    const ofInbound = { ...environment, UPSTREAM: upstream.url };
    const [lost, other, outbound] = await Promise.all([
      startRelay(ofInbound),
      startRelay(ofInbound),
      startRelay(environment),
    ]);
    for (const relay of [lost, other, outbound]) {
      forThisTest(relay);
    }
    const network = forThisTest(await startBalancer());
    network.add(lost.port);
    const client = tunnelClient(outbound.url, network.url);
    await client.send({ path: '/before' });
    await expect.poll(() => channelsOpened(outbound)).toBe(2);
    const answered = upstream.requests.items.length;
    upstream.handle(({ url }, response) => {
      // The first execution never ends: only the second is answered.
      if (upstream.requests.items.filter((request) => request.url === url).length > 1) {
        response.end('again');
      }
    });

    const sent = client.send({ path: '/safe' });
    await upstream.requests.find(({ url }) => url === '/safe');
    network.add(other.port);
    // The host of a relay is lost: one of its connections shows it at once, the other not for a while.
    network.silence(lost.port);
    network.resetLatest(lost.port);
    const response = await sent;

    expect(`${response.status} ${response.body.toString()}`).toBe('200 again');
    expect(upstream.hits).toBe(answered + 2);
  });
});
