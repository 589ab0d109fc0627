import { beforeAll, describe, expect, it } from 'vitest';

import { observe, type Observation, type Route } from '../../support/assertions/differential.js';
import { HTTP_CASES } from '../../support/http-cases/index.js';
import type { HttpCase } from '../../support/http-cases/http-case.js';
import {
  comparableResponse,
  comparableRequest,
  comparesRequest,
  isRefusedWhole,
} from '../../support/assertions/http-differences.js';
import type { Field } from '../../support/network/raw-http.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';
import {
  startScriptedUpstream,
  type ScriptedUpstream,
} from '../../support/upstreams/scripted-upstream.js';

/** The ways in which a client may have its request carried. Only the first of them is for channels, too. */
const LANES: readonly [type: 'MKE' | 'MTE', shown: string, ...fields: Field[]][] = [
  ['MKE', 'everything sealed'],
  [
    'MKE',
    'URL and headers in plaintext',
    ['X-MTE-Encode-Url', 'false'],
    ['X-MTE-Encode-Headers', 'false'],
  ],
  ['MTE', 'everything sealed'],
  [
    'MTE',
    'URL and headers in plaintext',
    ['x-mte-encode-url', 'false'],
    ['x-mte-encode-headers', 'false'],
  ],
];

const shared = sharedResources();
let upstream: ScriptedUpstream;
let inbound: TestRelay;
let outbound: TestRelay;
const direct = new Map<HttpCase, Promise<Observation>>();

beforeAll(async () => {
  upstream = shared(await startScriptedUpstream());
  inbound = shared(await startRelay({ UPSTREAM: upstream.url }));
  outbound = shared(await startRelay());
});

const HOST: Field = ['Host', 'api.example.com'];

/** What both ends see without a tunnel. Observed once for all lanes. */
function observeDirectly(httpCase: HttpCase): Promise<Observation> {
  const known = direct.get(httpCase);
  if (known !== undefined) {
    return known;
  }
  const route: Route = { port: upstream.port, fields: [HOST], showsParts: true };
  const observation = observe(upstream, route, httpCase);
  direct.set(httpCase, observation);
  return observation;
}

describe('the list of cases', () => {
  it('contains at least 150, each with a unique title', () => {
    const titles = new Set(HTTP_CASES.map(({ title }) => title));

    expect(titles.size).toBe(HTTP_CASES.length);
    expect(HTTP_CASES.length).toBeGreaterThanOrEqual(150);
  });
});

describe.each(IS_OVER_CHANNELS ? LANES.slice(0, 1) : LANES)(
  'through the tunnel in %s, %s',
  (type, _shown, ...options) => {
    const throughTunnel = async (httpCase: HttpCase) => {
      const without = await observeDirectly(httpCase);
      const route: Route = {
        port: outbound.port,
        fields: [
          HOST,
          ['X-MTE-Outbound-Token', TOKEN],
          ['X-MTE-Upstream', inbound.url],
          ['X-MTE-Encode-Type', type],
          ...options,
        ],
        showsParts: type === 'MKE',
      };
      return { without, within: await observe(upstream, route, httpCase) };
    };

    it.each(HTTP_CASES.map((httpCase) => [httpCase.title, httpCase] as const))(
      '%s looks the same at both ends as on a direct connection',
      async (_title, httpCase) => {
        const { without, within } = await throughTunnel(httpCase);

        expect(within.hits).toBe(1);
        if (comparesRequest(httpCase)) {
          expect(comparableRequest(within.seen)).toEqual(comparableRequest(without.seen));
        }
        if (isRefusedWhole(httpCase, type)) {
          expect(comparableResponse(within.got)).toMatchObject({ status: 502, isComplete: true });
        } else {
          expect(comparableResponse(within.got)).toEqual(comparableResponse(without.got));
        }
      },
    );
  },
);
