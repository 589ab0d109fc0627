import type { ServerResponse } from 'node:http';

import { Clock } from '@relay/clock';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { ClientLimits } from '../../apps/relay/src/admission/client-limits.js';
import { errorOf, request, type ClientResponse } from '../support/clients/client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { openSocket } from '../support/network/raw-socket.js';
import { startRedisServer, type RedisServer } from '../support/redis/redis-server.js';
import { connectRedis } from '../support/redis/session-store.js';
import { samplesOf } from '../support/relays/admin.js';
import { digestOf, replaceClients, type TestClient } from '../support/relays/clients.js';
import { startRelay, TOKEN, type LogLine, type TestRelay } from '../support/relays/relay.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import { startOctetTunnel } from '../support/tunnels/octet-tunnel.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const BILLING: TestClient = { name: 'billing', token: 'token-of-billing' };
const ORDERS: TestClient = { name: 'orders', token: 'token-of-orders' };
/** Longer than a window by far, so that a slow machine is not mistaken for a limit that does not hold. */
const NEXT_WINDOW = { timeout: 20_000, interval: 200 };

const shared = sharedResources();
let redis: RedisServer;
let tunnel: Tunnel;
/** Another replica of relay A. */
let second: TestRelay;

beforeAll(async () => {
  redis = await startRedisServer();
  shared({ close: () => redis.stop() });
  const outbound = { REDIS_URL: redis.url, ADMIN_PORT: '0' };
  tunnel = shared(await startTunnel({ outbound }));
  second = shared(await startRelay(outbound));
});

const withLimits = (limits: TestClient['limits']): Promise<unknown> =>
  Promise.all(
    [tunnel.outbound, second].map((relay) =>
      replaceClients(relay, { ...BILLING, ...(limits && { limits }) }, ORDERS),
    ),
  );

const get = (
  { token }: TestClient,
  relay: TestRelay = tunnel.outbound,
  path = '/',
): Promise<ClientResponse> =>
  request(relay.url, {
    path,
    headers: { ...tunnel.clientHeaders, 'x-mte-outbound-token': token },
  });

const statusesOf = async (client: TestClient, relays: readonly TestRelay[], requests: number) => {
  const startedAt = performance.now();
  const responses = await Promise.all(
    Array.from({ length: requests }, (_, at) => get(client, relays[at % relays.length])),
  );
  const windows = 1 + Math.floor((performance.now() - startedAt) / 1000);
  return { admitted: responses.filter(({ status }) => status === 200).length, responses, windows };
};

/** Whether each of these requests was answered as a client beyond its limits is. */
const expectLimited = (responses: readonly ClientResponse[]): void => {
  for (const response of responses) {
    expect(response.status).toBe(429);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.headers['cache-control']).toBe('no-store');
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_CLIENT_LIMITED', forwarded: 'no' });
  }
};

const limited = ({ status }: ClientResponse): boolean => status !== 200;

describe('requests of a client under way', () => {
  beforeEach(() => {
    tunnel.upstream.forget();
  });

  it('beyond its limit get 429 and are not forwarded, until one of them ends; another client is unharmed', async () => {
    await withLimits({ concurrent: 2 });
    const held: ServerResponse[] = [];
    tunnel.upstream.handle((_request, response) => {
      held.push(response);
    });
    const underWay = [get(BILLING), get(BILLING)];
    await expect.poll(() => held.length, NEXT_WINDOW).toBe(2);

    expectLimited(await Promise.all([get(BILLING), get(BILLING)]));
    expect(tunnel.upstream.hits).toBe(2);
    tunnel.upstream.handle(echoBody);
    expect((await get(ORDERS)).status).toBe(200);

    held[0]?.end();
    expect((await Promise.race(underWay)).status).toBe(200);
    await expect.poll(async () => (await get(BILLING)).status, NEXT_WINDOW).toBe(200);
    held[1]?.end();
    await Promise.all(underWay);
  });

  it('are as many as the limit of a reload says', async () => {
    await withLimits({ concurrent: 1 });
    const held: ServerResponse[] = [];
    tunnel.upstream.handle((_request, response) => {
      held.push(response);
    });
    const underWay = [get(BILLING)];
    await expect.poll(() => held.length, NEXT_WINDOW).toBe(1);
    expectLimited([await get(BILLING)]);

    await withLimits({ concurrent: 2 });
    underWay.push(get(BILLING));
    await expect.poll(() => held.length, NEXT_WINDOW).toBe(2);
    expectLimited([await get(BILLING)]);

    await withLimits(undefined);
    tunnel.upstream.handle(echoBody);
    expect((await get(BILLING)).status).toBe(200);
    for (const response of held) {
      response.end();
    }
    await Promise.all(underWay);
  });

  it('include upgraded connections', async () => {
    const upgrades = forThisTest(await startOctetTunnel());
    const client = { name: 'billing', token: TOKEN, limits: { concurrent: 1 } };
    await replaceClients(upgrades.outbound, client);
    const { client: connection } = await upgrades.open();
    const asked = upgrades.asked.items.length;

    const refused = (await upgrades.ask().all()).toString('latin1');
    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(refused).toMatch(/RELAY_CLIENT_LIMITED/);
    expect(upgrades.asked.items).toHaveLength(asked);

    connection.socket.destroy();
    await upgrades.expectNothingLeft();
    await upgrades.open();
  });
});

describe('requests of a client per second', () => {
  beforeEach(() => {
    tunnel.upstream.forget();
    tunnel.upstream.handle(echoBody);
  });

  it('beyond its limit get 429 at all replicas together, and are not forwarded; another client is unharmed', async () => {
    await withLimits({ requestsPerSecond: 5 });

    const [{ admitted, responses, windows }, others] = await Promise.all([
      statusesOf(BILLING, [tunnel.outbound, second], 40),
      statusesOf(ORDERS, [tunnel.outbound, second], 40),
    ]);

    expect(admitted).toBeGreaterThanOrEqual(5);
    expect(admitted).toBeLessThanOrEqual(5 * windows);
    expectLimited(responses.filter(limited));
    expect(others.admitted).toBe(40);
    expect(tunnel.upstream.hits).toBe(40 + admitted);
    await expect.poll(async () => (await get(BILLING)).status, NEXT_WINDOW).toBe(200);
  });

  it('are not forwarded for a client that has gone away while they were counted, whatever the count', async () => {
    await withLimits({ requestsPerSecond: 1 });
    const operator = forThisTest(connectRedis(redis.url));
    await operator.client('PAUSE', 3_000);
    const admit = vi.spyOn(tunnel.outbound.app.get(ClientLimits), 'admit');
    const ended = tunnel.outbound.log.items.length;
    const sockets = ['/gone-1', '/gone-2'].map((path) => {
      const socket = openSocket(tunnel.outbound.port);
      const fields = `x-mte-upstream: ${tunnel.inbound.url}\r\nx-mte-outbound-token: ${BILLING.token}\r\n`;
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n${fields}\r\n`);
      return socket;
    });
    await expect.poll(() => admit.mock.calls.length, NEXT_WINDOW).toBe(2);
    await Promise.all(sockets.map((socket) => socket.close()));

    const outcomes = (): readonly LogLine[] =>
      tunnel.outbound.log.items.slice(ended).filter(({ client }) => client === 'billing');
    await expect.poll(() => outcomes().length, NEXT_WINDOW).toBe(2);
    expect(new Set(outcomes().map(({ code }) => code))).toEqual(
      new Set(['RELAY_CLIENT_GONE', 'RELAY_CLIENT_LIMITED']),
    );
    await withLimits(undefined);
    expect((await get(ORDERS)).status).toBe(200);
    expect(tunnel.upstream.hits).toBe(1);
  });

  it('are limited by each replica alone once Redis is killed, and go on', async () => {
    const own = await startRedisServer();
    forThisTest({ close: () => own.stop() });
    const relay = forThisTest(await startRelay({ REDIS_URL: own.url }));
    await replaceClients(relay, { ...BILLING, limits: { requestsPerSecond: 5 } });
    expect((await get(BILLING, relay)).status).toBe(200);
    await own.kill();
    await relay.log.find(({ msg }) => msg === 'the session store is unavailable');

    const { admitted, responses, windows } = await statusesOf(BILLING, [relay], 20);

    expect(admitted).toBeGreaterThanOrEqual(5);
    expect(admitted).toBeLessThanOrEqual(5 * windows);
    expectLimited(responses.filter(limited));
    const line = await relay.log.find(
      ({ msg }) => msg === 'requests of clients with limits are counted by this process alone',
    );
    expect(line).toMatchObject({ level: 40, error: { code: 'RELAY_STORE_UNAVAILABLE' } });
  });

  it('without limits are not counted in Redis', async () => {
    await withLimits(undefined);
    const operator = forThisTest(connectRedis(redis.url));
    await operator.config('RESETSTAT');
    await Promise.all([get(BILLING), get(ORDERS)]);
    expect(await operator.info('commandstats')).not.toContain('cmdstat_incrby');
  });
});

describe('a client with a name', () => {
  it('is named in the log and in the metrics, as long as it is in the directory', async () => {
    await withLimits({ concurrent: 1_000_000 });
    const counts = async (): Promise<readonly (number | undefined)[]> => {
      const samples = await samplesOf(tunnel.outbound);
      return ['ok', 'limited', 'error'].map((result) =>
        samples.get(`mte_relay_client_requests_total{client="billing",result="${result}"}`),
      );
    };
    const [ok = 0, , error = 0] = await counts();

    await get(BILLING, tunnel.outbound, '/named');
    await request(tunnel.outbound.url, {
      headers: { 'x-mte-outbound-token': BILLING.token },
    });

    await tunnel.outbound.log.find(({ client, status }) => client === 'billing' && status === 400);
    await expect.poll(counts).toMatchObject([ok + 1, expect.anything(), error + 1]);
    await replaceClients(tunnel.outbound, ORDERS);
    expect(await counts()).toEqual([undefined, undefined, undefined]);
  });

  it('whose token expires is warned about at each change, with the time in a metric', async () => {
    const clock = new HandMovedClock();
    const relay = forThisTest(
      await startRelay({ ADMIN_PORT: '0' }, (builder) =>
        builder.overrideProvider(Clock).useValue(clock),
      ),
    );
    const soon = clock.nowMs() + 10 * DAY_MS;
    const late = clock.nowMs() + 40 * DAY_MS;

    await replaceClients(
      relay,
      { ...BILLING, expiresAtMs: soon },
      { ...ORDERS, expiresAtMs: late },
    );

    const warnings = (): readonly unknown[] =>
      relay.log.items.filter(({ msg }) => msg.startsWith('a token of a client'));
    const tokenId = digestOf(BILLING.token).slice(0, 8);
    const expires = new Date(soon).toISOString();
    const line = { level: 40, client: 'billing', tokenId, expires };
    expect(warnings()).toEqual([
      expect.objectContaining({ ...line, msg: 'a token of a client expires soon' }),
    ]);
    expect(JSON.stringify(warnings())).not.toContain(BILLING.token);
    expect(JSON.stringify(warnings())).not.toContain(digestOf(BILLING.token));
    const expiries = async (): Promise<readonly (number | undefined)[]> => {
      const samples = await samplesOf(relay);
      return ['billing', 'orders'].map((client) =>
        samples.get(`mte_relay_client_token_expires_seconds{client="${client}"}`),
      );
    };
    expect(await expiries()).toEqual([soon / 1000, late / 1000]);

    clock.advance(10 * DAY_MS);
    expect(await expiries()).toEqual([undefined, late / 1000]);
    await replaceClients(relay, { ...BILLING, expiresAtMs: soon });
    expect(warnings()[1]).toMatchObject({ ...line, msg: 'a token of a client has expired' });
    expect(warnings()).toHaveLength(2);
  });
});
