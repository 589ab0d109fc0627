import { beforeAll, describe, expect, it } from 'vitest';

import { observe } from '../../support/assertions/differential.js';
import { HTTP_CASES } from '../../support/http-cases/index.js';
import { TARGET_CASES } from '../../support/http-cases/targets.js';
import {
  comparableResponse,
  comparableRequest,
  comparesRequest,
} from '../../support/assertions/http-differences.js';
import type { Field } from '../../support/network/raw-http.js';
import { startRelay, type TestRelay } from '../../support/relays/relay.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import {
  startScriptedUpstream,
  type ScriptedUpstream,
} from '../../support/upstreams/scripted-upstream.js';

/** route-escapes.spec.ts tests which paths pass through. */
const CASES = HTTP_CASES.filter((httpCase) => !TARGET_CASES.includes(httpCase));
const HOST: Field = ['Host', 'api.example.com'];

const shared = sharedResources();
let upstream: ScriptedUpstream;
let relay: TestRelay;

beforeAll(async () => {
  upstream = shared(await startScriptedUpstream());
  relay = shared(await startRelay({ UPSTREAM: upstream.url, PASS_THROUGH_ROUTES: '/api/*' }));
});

describe('on a pass-through route', () => {
  it.each(CASES.map((httpCase) => [httpCase.title, httpCase] as const))(
    '%s looks the same at both ends as on a direct connection',
    async (_title, httpCase) => {
      const route = { fields: [HOST], showsParts: true };
      const without = await observe(upstream, { ...route, port: upstream.port }, httpCase);

      const within = await observe(upstream, { ...route, port: relay.port }, httpCase);

      expect(within.hits).toBe(1);
      if (comparesRequest(httpCase)) {
        expect(comparableRequest(within.seen)).toEqual(comparableRequest(without.seen));
      }
      expect(comparableResponse(within.got)).toEqual(comparableResponse(without.got));
    },
  );
});
