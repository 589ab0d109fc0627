import { describe, expect, it } from 'vitest';

import { startLoad } from '../support/clients/steady-load.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { startCountingUpstream } from '../support/upstreams/counting-upstream.js';

const PER_SECOND = 40;

/** How the channels of a process ended. */
const channelEnds = ({ log }: RelayProcess): string[] =>
  log.items.map(({ msg }) => msg).filter((msg) => /^channel (ended|broke)$/.test(msg));

describe('an outbound relay with channels that is stopped under load', () => {
  it('completes every response that is under way, and ends its channels in order', async () => {
    const upstream = forThisTest(await startCountingUpstream());
    const environment = { TUNNEL_TRANSPORT: 'channel' };
    const [inbound, outbound] = await Promise.all([
      startRelayProcess({ ...environment, UPSTREAM: upstream.url }),
      startRelayProcess(environment),
    ]);
    forThisTest(inbound);
    forThisTest(outbound);
    const load = startLoad({
      origin: outbound.url,
      headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url },
      perSecond: PER_SECOND,
      withMte: false,
    });
    forThisTest(load);
    await load.pass(PER_SECOND);

    const ended = outbound.kill('SIGTERM');
    await outbound.log.find(({ msg }) => msg.startsWith('stopping'));
    const outcomes = await load.stop();

    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
    // A request of these last moments may have found no listener.
    expect(outcomes.filter(({ end }) => end !== 'completed' && end !== 'dropped')).toEqual([]);
    expect(outcomes.map(({ id }) => upstream.executions(id))).toEqual(
      outcomes.map(({ end }) => (end === 'dropped' ? 0 : 1)),
    );
    const inOrder = ['channel ended', 'channel ended'];
    expect(channelEnds(outbound)).toEqual(inOrder);
    await expect.poll(() => channelEnds(inbound), { timeout: 10_000 }).toEqual(inOrder);
    expect(inbound.isRunning()).toBe(true);
  });
});
