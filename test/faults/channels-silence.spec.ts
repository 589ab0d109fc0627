import { Clock } from '@relay/clock';
import { describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { isSlow } from '../support/lifecycle/property.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startBalancer, type Balancer } from '../support/network/balancer.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { startRelay, type LogLine, type RelayEnvironment } from '../support/relays/relay.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import { tunnelClient, type TunnelClient } from '../support/tunnels/tunnel-client.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const ENVIRONMENT: RelayEnvironment = { TUNNEL_TRANSPORT: 'auto' };
/** 20 s until the PING, 10 s for its response, and a generous margin. */
const NOTICED_LIMIT_MS = 120_000;
/** Channels are checked once a second. */
const STEP = { timeout: 60_000, interval: 1_500 };

interface Path extends TunnelClient {
  readonly upstream: Upstream;
  readonly network: Balancer;
  readonly inbound: { readonly port: number };
  /** Lines of the outbound relay about its channels, in order. */
  readonly channelLines: () => readonly LogLine[];
}

/** Opens two channels, silences the network, and sends a POST on one of them. */
const silenced = async (path: Path) => {
  const { upstream, network, inbound, channelLines } = path;
  await path.send({ path: '/before' });
  await expect.poll(() => channelLines().length).toBe(2);
  await path.send({ path: '/on-a-channel' });
  network.silence(inbound.port);
  const lost = path.send({ method: 'POST', path: '/lost', body: 'once' });
  return { lost, hits: upstream.hits };
};

/** After the network has healed: what was held back took no effect, and new channels are opened. */
const expectRecovery = async (
  path: Path,
  { lost, hits }: Awaited<ReturnType<typeof silenced>>,
): Promise<void> => {
  const { upstream, network, inbound, channelLines } = path;
  const response = await lost;
  expect(response.status).toBe(502);
  expect(errorOf(response)).toMatchObject({
    code: 'RELAY_PEER_CONNECTION_LOST',
    forwarded: 'maybe',
  });
  network.heal(inbound.port);
  expect(await path.send({ path: '/after' })).toMatchObject({ status: 200 });
  expect(upstream.hits).toBe(hits + 1);
  await expect
    .poll(() => channelLines().filter(({ msg }) => msg === 'channel opened').length, STEP)
    .toBe(4);
};

const linesOf = (log: readonly LogLine[]): readonly LogLine[] =>
  log.filter(({ msg, role }) => msg.startsWith('channel ') && role === 'outbound');

describe('a network that passes nothing and resets nothing', () => {
  it('is noticed by the PINGs of both relays, and what was on the way takes no effect', async () => {
    const upstream = forThisTest(await startUpstream());
    const clock = new HandMovedClock();
    const [inbound, outbound] = await Promise.all([
      startRelay({ ...ENVIRONMENT, UPSTREAM: upstream.url }, (builder) =>
        builder.overrideProvider(Clock).useValue(clock),
      ),
      startRelay(ENVIRONMENT, (builder) => builder.overrideProvider(Clock).useValue(clock)),
    ]);
    forThisTest(inbound);
    forThisTest(outbound);
    const network = forThisTest(await startBalancer());
    network.add(inbound.port);
    const path = {
      upstream,
      network,
      inbound,
      channelLines: () => linesOf(outbound.log.items),
      ...tunnelClient(outbound.url, network.url),
    };

    const begun = await silenced(path);
    const broke = (): number =>
      [...inbound.log.items, ...outbound.log.items].filter(({ msg }) => msg === 'channel broke')
        .length;
    await expect
      .poll(() => {
        clock.advance(11_000);
        return broke();
      }, STEP)
      .toBe(4);

    await expectRecovery(path, begun);
  });

  it.runIf(isSlow)('is noticed by real processes within a minute', async () => {
    const upstream = forThisTest(await startUpstream());
    const [inbound, outbound] = await Promise.all([
      startRelayProcess({ ...ENVIRONMENT, UPSTREAM: upstream.url }),
      startRelayProcess(ENVIRONMENT),
    ]);
    forThisTest(inbound);
    forThisTest(outbound);
    const network = forThisTest(await startBalancer());
    network.add(inbound.port);
    const path = {
      upstream,
      network,
      inbound,
      channelLines: () => linesOf(outbound.log.items),
      ...tunnelClient(outbound.url, network.url),
    };

    const begun = await silenced(path);
    for (const { log } of [inbound, outbound]) {
      await log.find(({ msg }) => msg === 'channel broke', NOTICED_LIMIT_MS);
    }

    await expectRecovery(path, begun);
    expect([inbound.isRunning(), outbound.isRunning()]).toEqual([true, true]);
  });
});
