import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request, type ClientResponse } from '../support/client.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startRelayProcess, type RelayProcess } from '../support/relay-process.js';
import { TOKEN } from '../support/relay.js';
import { forThisTest } from '../support/resources.js';
import { startUpstream, type Upstream } from '../support/upstream.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const BACK_LIMIT_MS = 5_000;

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
    startRelayProcess({ UPSTREAM: upstream.url, REDIS_URL: redis.url }),
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

/** All at once; each with how long it took. */
const sendAll = () =>
  Promise.all(
    METHODS.map(async (method) => {
      const startedAt = performance.now();
      return { answer: await send(method), ms: performance.now() - startedAt };
    }),
  );

const expectAllRefused = (
  outcomes: Awaited<ReturnType<typeof sendAll>>,
  forwarded: 'no' | 'maybe',
): void => {
  for (const { answer, ms } of outcomes) {
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({ code: 'RELAY_PEER_STORE_UNAVAILABLE', forwarded });
    expect(ms).toBeLessThan(1_000);
  }
  expect(upstream.hits).toBe(0);
  expect(inbound.log.items.filter(({ status }) => status === 560)).toEqual([]);
};

/** Without a restart of any relay. */
const expectServedSoon = async (): Promise<void> => {
  const options = { timeout: BACK_LIMIT_MS, interval: 100 };
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

describe('a relay whose Redis is away at the start', () => {
  beforeEach(async () => {
    await redis.stop();
    await startRelays();
  });

  it('is live and not ready, and becomes ready by itself', async () => {
    expect(await health('live')).toBe(200);
    expect(await health('ready')).toBe(503);

    await startRedis(redis.port);

    await expectServedSoon();
    expect(await health('live')).toBe(200);
  });

  it('has every request refused within 1 s as never forwarded', async () => {
    expectAllRefused(await sendAll(), 'no');
    expectAllRefused(await sendAll(), 'no');
  });
});

describe('a relay whose Redis dies in the middle of traffic', () => {
  beforeEach(async () => {
    await startRelays();
    expect(await send('POST')).toMatchObject({ status: 200 });
    upstream.forget();
    await redis.kill();
  });

  /** "Maybe", as the number is not burnt: somebody on the path could still deliver the message. */
  it('has every request refused within 1 s, never as unknown, and is live but not ready', async () => {
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

describe('a relay that starts while its Redis is there', () => {
  it('listens only when it has its sessions: the first message is served', async () => {
    await startRelays();
    const messages = inbound.log.items.map(({ msg }) => msg);
    expect(messages.indexOf('the session store is available')).toBeGreaterThan(-1);
    expect(messages.indexOf('the session store is available')).toBeLessThan(
      messages.indexOf('relay is listening'),
    );
  });
});
