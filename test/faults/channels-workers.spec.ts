import { beforeAll, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { startLoad, type LoadOutcome } from '../support/clients/steady-load.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { childrenOf, twoWorkers, workersUp } from '../support/processes/workers.js';
import { samplesOf } from '../support/relays/admin.js';
import { TOKEN } from '../support/relays/relay.js';
import {
  startCountingUpstream,
  type CountingUpstream,
} from '../support/upstreams/counting-upstream.js';

const PER_SECOND = 40;
const RECOVERY = { timeout: 60_000, interval: 250 };
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

const workers = await twoWorkers();
const shared = sharedResources();

describe('two relays with channels and two workers each', () => {
  let upstream: CountingUpstream;
  let inbound: RelayProcess;
  let outbound: RelayProcess;

  beforeAll(async () => {
    upstream = shared(await startCountingUpstream());
    const environment = { ...workers, TUNNEL_TRANSPORT: 'auto', ADMIN_PORT: '0' };
    [inbound, outbound] = await Promise.all([
      startRelayProcess({ ...environment, UPSTREAM: upstream.url }),
      startRelayProcess(environment),
    ]);
    shared(inbound);
    shared(outbound);
    await Promise.all([workersUp(inbound), workersUp(outbound)]);
  });

  const headers = (): Record<string, string> => ({
    'x-mte-outbound-token': TOKEN,
    'x-mte-upstream': inbound.url,
  });

  /** Two channels of each worker of the outbound relay. */
  const expectUsualChannels = async (): Promise<void> => {
    await expect
      .poll(async () => {
        // A worker opens channels once it has a request: connections are new, so that each worker gets some.
        const requests = Array.from({ length: 8 }, () =>
          request(outbound.url, { headers: headers() }),
        );
        await Promise.all(requests);
        const [a, b] = await Promise.all([samplesOf(outbound), samplesOf(inbound)]);
        return [
          a.get('mte_relay_channels{role="outbound",state="open"}'),
          b.get('mte_relay_channels{role="inbound",state="open"}'),
          a.get('mte_relay_channel_streams{role="outbound"}'),
          b.get('mte_relay_channel_streams{role="inbound"}'),
        ];
      }, RECOVERY)
      .toEqual([4, 4, 0, 0]);
  };

  /** Kills a worker under load, and checks what must hold for every request. @returns how the requests ended */
  const killWorkerOf = async (relay: RelayProcess): Promise<readonly LoadOutcome[]> => {
    const load = startLoad({
      origin: outbound.url,
      headers: headers(),
      perSecond: PER_SECOND,
      withMte: false,
    });
    forThisTest(load);
    await load.pass(PER_SECOND);
    const before = childrenOf(relay);

    process.kill(before[0]!, 'SIGKILL');
    await expect
      .poll(() => childrenOf(relay).filter((pid) => !before.includes(pid)).length, RECOVERY)
      .toBe(1);
    await load.pass(PER_SECOND);
    const areServed = (): boolean =>
      load.outcomes.items.slice(-PER_SECOND).every(({ end }) => end === 'completed');
    await expect.poll(areServed, RECOVERY).toBe(true);
    const outcomes = await load.stop();
    await expect.poll(() => upstream.running.size, RECOVERY).toBe(0);

    for (const { id, method, end, forwarded } of outcomes) {
      const executions = upstream.executions(id);
      const least = end === 'completed' ? 1 : 0;
      const most = forwarded === 'no' ? 0 : SAFE.has(method) ? 2 : 1;
      expect(executions, `${method} ${id} ${end}`).toBeGreaterThanOrEqual(least);
      expect(executions, `${method} ${id} ${end}`).toBeLessThanOrEqual(most);
    }
    expect([inbound.isRunning(), outbound.isRunning()]).toEqual([true, true]);
    return outcomes;
  };

  it('lose only what a worker of the inbound one had in progress when that is killed', async () => {
    const outcomes = await killWorkerOf(inbound);

    const ends = new Set(outcomes.map(({ end }) => end));
    expect(['completed', 'refused', 'broken']).toEqual(expect.arrayContaining([...ends]));
    const refused = outcomes.filter(({ end }) => end === 'refused');
    expect(refused.filter(({ method }) => SAFE.has(method))).toEqual([]);
    await expectUsualChannels();
  });

  it('open their channels again when a worker of the outbound one is killed', async () => {
    const outcomes = await killWorkerOf(outbound);

    // Connections of clients end with the worker; one that the primary handed to it at that moment gets no answer.
    expect(outcomes.filter(({ end }) => end === 'wrong' || end === 'refused')).toEqual([]);
    await expectUsualChannels();
  });
});
