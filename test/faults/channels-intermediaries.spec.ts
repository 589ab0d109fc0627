import { describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { startLoad } from '../support/clients/steady-load.js';
import { isSlow } from '../support/lifecycle/property.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { hasIntermediary, startIntermediary } from '../support/network/intermediaries.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { samplesOf } from '../support/relays/admin.js';
import { TOKEN } from '../support/relays/relay.js';
import {
  ID_HEADER,
  WORK_HEADER,
  startCountingUpstream,
} from '../support/upstreams/counting-upstream.js';

const PER_SECOND = 40;
const LOAD_SECONDS = isSlow ? 120 : 10;
/** Longer than the time-outs that the programs have by default. */
const SILENCE_MS = 75_000;

/** The documented block with what it needs for WebSockets, and without its own time-outs. */
const CONFIGURATIONS = {
  nginx: (block: string): string =>
    block
      .replace(
        'proxy_set_header Connection "";',
        'proxy_set_header Connection "upgrade"; proxy_set_header Upgrade $http_upgrade;',
      )
      .replace(/^ *(proxy_(send|read)|client_body|send|keepalive)_timeout .*\n/gm, ''),
  // It has none by default; these are those of its own examples.
  HAProxy: (block: string): string =>
    block
      .replace(/timeout (client|server) .*/g, 'timeout $1 50s')
      .replace(/^ *timeout tunnel .*\n/gm, ''),
} as const;

const PROGRAMS = ['nginx', 'HAProxy'] as const;

/** Two relays with channels through a program. */
const startPath = async (program: (typeof PROGRAMS)[number]) => {
  const environment = {
    TUNNEL_TRANSPORT: 'channel',
    ADMIN_PORT: '0',
    RESPONSE_TIMEOUT_MS: String(2 * SILENCE_MS),
  };
  const upstream = forThisTest(await startCountingUpstream());
  const [inbound, outbound] = await Promise.all([
    startRelayProcess({ ...environment, UPSTREAM: upstream.url }),
    startRelayProcess(environment),
  ]);
  forThisTest(inbound);
  forThisTest(outbound);
  const path = forThisTest(await startIntermediary(program, inbound.port, CONFIGURATIONS[program]));
  const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': path.url };
  return { upstream, inbound, outbound, headers };
};

describe.each(PROGRAMS)('%s between relays with channels', (program) => {
  const isThere = hasIntermediary(program);

  it.skipIf(!isThere)('breaks no channel and loses no request under load', async () => {
    const { upstream, inbound, outbound, headers } = await startPath(program);
    const load = startLoad({
      origin: outbound.url,
      headers,
      perSecond: PER_SECOND,
      withMte: false,
    });
    forThisTest(load);

    for (let second = 0; second < LOAD_SECONDS; second += 1) {
      await load.pass(PER_SECOND);
    }
    const outcomes = await load.stop();

    expect(outcomes.filter(({ end }) => end !== 'completed')).toEqual([]);
    expect(outcomes.map(({ id }) => upstream.executions(id))).toEqual(outcomes.map(() => 1));
    for (const [relay, role] of [
      [outbound, 'outbound'],
      [inbound, 'inbound'],
    ] as const) {
      expect(relay.log.items.filter(({ msg }) => msg === 'channel broke')).toEqual([]);
      const samples = await samplesOf(relay);
      expect(samples.get(`mte_relay_channels{role="${role}",state="open"}`)).toBe(2);
      expect(samples.get(`mte_relay_channel_streams{role="${role}"}`)).toBe(0);
    }
  });

  it.runIf(isThere && isSlow)(
    'does not end a channel that is silent except for its PINGs',
    async () => {
      const { outbound, headers } = await startPath(program);

      const response = await request(outbound.url, {
        headers: { ...headers, [ID_HEADER]: 'silent', [WORK_HEADER]: String(SILENCE_MS) },
      });

      expect(response.status).toBe(200);
      expect(outbound.log.items.filter(({ msg }) => msg === 'channel broke')).toEqual([]);
    },
  );
});
