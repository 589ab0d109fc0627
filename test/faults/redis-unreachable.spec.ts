import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request, type ClientResponse } from '../support/clients/client.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** With such a time limit for commands, a request that is refused within REFUSAL_LIMIT_MS did not wait for it. */
const PATIENT = { REDIS_COMMAND_TIMEOUT_MS: '10000' };
/** Below the time limit for connecting to Redis, 2 s, and as long as a slow machine may take for a refusal. */
const REFUSAL_LIMIT_MS = 1_800;
const RECOVERY_LIMIT_MS = 10_000;

let redis: RedisServer;
let upstream: Upstream;
let inbound: RelayProcess;
let outbound: RelayProcess;

const startRedis = async (port?: number): Promise<void> => {
  const server = await startRedisServer(port === undefined ? {} : { port });
  forThisTest({ close: () => server.stop() });
  redis = server;
};

const startRelays = async (): Promise<void> => {
  upstream = forThisTest(await startUpstream());
  [inbound, outbound] = await Promise.all([
    startRelayProcess({ UPSTREAM: upstream.url, REDIS_URL: redis.url, ...PATIENT }),
    startRelayProcess(),
  ]);
  forThisTest(inbound);
  forThisTest(outbound);
};

const send = (method: string): Promise<ClientResponse> =>
  request(outbound.url, {
    method,
    headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url },
    body: 'one coin',
  });

const health = async (path: 'live' | 'ready'): Promise<number> =>
  (await request(inbound.url, { path: `/health/${path}` })).status;

/** Sends one request of each method at the same time, and measures how long each of them takes. */
const sendAll = () =>
  Promise.all(
    METHODS.map(async (method) => {
      const startedAt = performance.now();
      return { response: await send(method), ms: performance.now() - startedAt };
    }),
  );

const expectAllRefused = (
  outcomes: Awaited<ReturnType<typeof sendAll>>,
  forwarded: 'no' | 'maybe',
): void => {
  for (const { response, ms } of outcomes) {
    expect(response.status).toBe(503);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_STORE_UNAVAILABLE', forwarded });
    expect(ms).toBeLessThan(REFUSAL_LIMIT_MS);
  }
  expect(upstream.hits).toBe(0);
  expect(inbound.log.items.filter(({ status }) => status === 560)).toEqual([]);
};

/** Expects requests to be served again without a restart of any relay. */
const expectServedSoon = async (): Promise<void> => {
  const options = { timeout: RECOVERY_LIMIT_MS, interval: 100 };
  await expect.poll(() => health('ready'), options).toBe(200);
  await expect.poll(async () => (await send('POST')).status, options).toBe(200);
  expect(upstream.hits).toBe(1);
  expect([inbound.isRunning(), outbound.isRunning()]).toEqual([true, true]);
};

beforeEach(async () => {
  await startRedis();
});

afterEach(() => {
  expect([inbound.isRunning(), outbound.isRunning()]).toEqual([true, true]);
});

describe('a relay whose Redis is unreachable at the start', () => {
  beforeEach(async () => {
    await redis.stop();
    await startRelays();
  });

  it('is live but not ready, and becomes ready without a restart', async () => {
    expect(await health('live')).toBe(200);
    expect(await health('ready')).toBe(503);

    await startRedis(redis.port);

    await expectServedSoon();
    expect(await health('live')).toBe(200);
  });

  it('has every request refused quickly, as never forwarded', async () => {
    expectAllRefused(await sendAll(), 'no');
    expectAllRefused(await sendAll(), 'no');
  });
});

describe('a relay whose Redis dies during traffic', () => {
  beforeEach(async () => {
    await startRelays();
    expect(await send('POST')).toMatchObject({ status: 200 });
    upstream.forget();
    await redis.kill();
  });

  /** "Maybe", because the sequence number is not consumed: an attacker could still deliver the message. */
  it('has every request refused quickly, never as unknown, and is live but not ready', async () => {
    expectAllRefused(await sendAll(), 'maybe');
    expect(await health('live')).toBe(200);
    expect(await health('ready')).toBe(503);
    expectAllRefused(await sendAll(), 'maybe');
  });

  it('serves again when Redis is back', async () => {
    expectAllRefused(await sendAll(), 'maybe');

    await startRedis(redis.port);

    await expectServedSoon();
  });
});

describe('a relay whose Redis is available at the start', () => {
  it('listens only after its session store has become available', async () => {
    await startRelays();
    const messages = inbound.log.items.map(({ msg }) => msg);
    expect(messages.indexOf('the session store is available')).toBeGreaterThan(-1);
    expect(messages.indexOf('the session store is available')).toBeLessThan(
      messages.indexOf('relay is listening'),
    );
  });
});
