import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { SECRET, TOKEN, startRelay } from '../../support/relays/relay.js';
import type { Collector } from '../../support/traces/collector.js';
import {
  COLLECTOR_TOKEN,
  startTracedTunnel,
  type TracedTunnel,
} from '../../support/traces/traced-tunnel.js';
import { chainFrom, chainOf, newCaller, type Caller } from '../../support/traces/traced.js';

const CANARY = 'canary-of-the-tests';

const shared = sharedResources();
let tunnel: TracedTunnel;
let collector: Collector;
let caller: Caller;

beforeAll(async () => {
  tunnel = shared(await startTracedTunnel());
  ({ collector } = tunnel);
});

beforeEach(() => {
  caller = newCaller();
  tunnel.forget();
});

describe('a trace that is not recorded', () => {
  it('has no span, and goes on to the API as the caller has sent it', async () => {
    const unsampled = caller.traceparent.replace(/01$/, '00');
    await tunnel.send({ headers: { traceparent: unsampled } });
    expect(tunnel.forwardedParent()).toBe(unsampled);

    const other = newCaller();
    await tunnel.send({ headers: { traceparent: other.traceparent } });
    await chainOf(collector, other, 4);
    expect(collector.spans.items.filter(({ traceId }) => traceId === caller.traceId)).toEqual([]);
  });

  it('is not begun again by the next relay, if this one has decided so', async () => {
    const outbound = forThisTest(
      await startRelay({ ...collector.environment, OTEL_TRACES_SAMPLER: 'parentbased_always_off' }),
    );
    await request(outbound.url, { headers: tunnel.clientHeaders });

    expect(tunnel.forwardedParent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    const [, traceId = ''] = tunnel.forwardedParent()?.split('-') ?? [];
    await tunnel.send({ headers: { traceparent: caller.traceparent } });
    await chainOf(collector, caller, 4);
    expect(collector.spans.items.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});

describe('a traceparent', () => {
  it.each([
    ['malformed', '00-0-not-one'],
    ['of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ])('that is %s begins a new trace, to which the tracestate does not belong', async (_, value) => {
    await tunnel.send({ headers: { traceparent: value, tracestate: 'vendor=1' } });

    const spans = await chainFrom(
      collector,
      ({ parentSpanId, kind }) => parentSpanId === '' && kind === 'server',
      4,
    );
    expect(tunnel.forwardedParent()).toBe(
      `00-${spans[0]?.traceId ?? ''}-${spans[3]?.spanId ?? ''}-01`,
    );
    expect(tunnel.upstream.requests.items[0]?.headers).not.toHaveProperty('tracestate');
  });
});

describe('what is exported', () => {
  it('has no path, query, field, token, secret, body or host of the client (#119)', async () => {
    await tunnel.send({
      method: 'POST',
      path: `/listed/${CANARY}?${CANARY}`,
      body: CANARY,
      headers: {
        authorization: CANARY,
        host: `${CANARY}.example`,
        cookie: CANARY,
        tracestate: `vendor=${CANARY}`,
        'user-agent': CANARY,
        'x-request-id': CANARY,
        traceparent: caller.traceparent,
      },
    });
    await tunnel.send({ path: `/${CANARY}`, headers: { 'x-mte-outbound-token': CANARY } });
    await chainOf(collector, caller, 4);
    await collector.spans.find(
      ({ attributes }) => attributes['mte.code'] === 'RELAY_TOKEN_INVALID',
    );

    const bytes = Buffer.concat(collector.exports.items.map(({ body }) => body));
    for (const secret of [CANARY, TOKEN, SECRET, COLLECTOR_TOKEN]) {
      expect(bytes.includes(secret)).toBe(false);
    }
  });
});
