import { Clock } from '@relay/clock';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request, type ClientResponse } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { replaceClients, type TestClient } from '../support/relays/clients.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const MINUTE_MS = 60_000;
const LOUD: TestClient = { name: 'loud', token: 'token-of-loud' };
const QUIET: TestClient = { name: 'quiet', token: 'token-of-quiet' };

const shared = sharedResources();
let upstream: Upstream;
let inbound: TestRelay;
let outbound: TestRelay;
const clock = new HandMovedClock();

beforeAll(async () => {
  upstream = shared(await startUpstream());
  const withClock = (UPSTREAM: string): Promise<TestRelay> =>
    startRelay({ UPSTREAM, MAX_CONCURRENT_REQUESTS: '20' }, (builder) =>
      builder.overrideProvider(Clock).useValue(clock),
    );
  inbound = shared(await withClock(upstream.url));
  outbound = shared(await withClock(upstream.url));
});

beforeEach(() => {
  upstream.forget();
});

const get = ({ token }: TestClient): Promise<ClientResponse> =>
  request(outbound.url, {
    headers: { 'x-mte-outbound-token': token, 'x-mte-upstream': inbound.url },
  });

describe('#97 a client that sends as much as it can', () => {
  it('gets no more than its limits, takes no places of others, and forwards nothing beyond them', async () => {
    await replaceClients(
      outbound,
      { ...LOUD, limits: { concurrent: 5, requestsPerSecond: 10 } },
      QUIET,
    );
    const startedAt = performance.now();
    const flood = Promise.all(Array.from({ length: 200 }, () => get(LOUD)));
    const others = Promise.all(Array.from({ length: 10 }, () => get(QUIET)));

    expect((await others).map(({ status }) => status)).toEqual(Array(10).fill(200));
    const responses = await flood;
    const windows = 1 + Math.floor((performance.now() - startedAt) / 1000);
    const admitted = responses.filter(({ status }) => status === 200).length;
    expect(admitted).toBeGreaterThan(0);
    expect(admitted).toBeLessThanOrEqual(10 * windows);
    const refused = responses.filter(({ status }) => status !== 200);
    for (const response of refused) {
      expect(response.status).toBe(429);
      expect(errorOf(response)).toMatchObject({ code: 'RELAY_CLIENT_LIMITED', forwarded: 'no' });
    }
    expect(upstream.hits).toBe(10 + admitted);
  });
});

describe('#98 a token', () => {
  it('that has expired is refused from that moment on, and forwards nothing', async () => {
    await replaceClients(outbound, { ...QUIET, expiresAtMs: clock.nowMs() + MINUTE_MS }, LOUD);
    expect((await get(QUIET)).status).toBe(200);
    clock.advance(MINUTE_MS - 1);
    expect((await get(QUIET)).status).toBe(200);
    upstream.forget();

    clock.advance(1);
    const response = await get(QUIET);
    expect(response.status).toBe(401);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_TOKEN_INVALID', forwarded: 'no' });
    expect(response.body.toString()).not.toContain('quiet');
    expect(upstream.hits).toBe(0);
    expect((await get(LOUD)).status).toBe(200);
  });

  it('that was revoked is refused with the next request, while those of others are not', async () => {
    await replaceClients(outbound, QUIET, LOUD);
    expect((await get(QUIET)).status).toBe(200);
    await replaceClients(outbound, LOUD);
    expect((await get(QUIET)).status).toBe(401);
    expect((await get(LOUD)).status).toBe(200);
  });

  it('is nowhere in the log, and neither is its whole hash', () => {
    const lines = JSON.stringify(outbound.log.items);
    expect(lines).not.toContain(QUIET.token);
    expect(lines).not.toMatch(/[0-9a-f]{64}/);
  });
});
