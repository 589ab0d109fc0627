import { Clock } from '@relay/clock';
import { MAX_ROWS, type Status } from '@relay/status';
import { beforeAll, describe, expect, it } from 'vitest';

import { StatusService } from '../../../apps/relay/src/status/status.service.js';
import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import {
  peerWith,
  readDirectoriesNow,
  secretsFor,
  startDirectoryRelay,
  type DirectoryContent,
} from '../../support/relays/directory-relay.js';
import { clientWith } from '../../support/relays/mounted-directory.js';
import { SECRET, TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { HandMovedClock } from '../../support/time/hand-moved-clock.js';
import { startChannelTunnel } from '../../support/tunnels/channel-tunnel.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

const shared = sharedResources();
let upstream: Upstream;
let inbound: TestRelay;

beforeAll(async () => {
  upstream = shared(await startUpstream());
  inbound = shared(await startRelay({ UPSTREAM: upstream.url, ADMIN_PORT: '0' }));
});

const statusOf = ({ app }: TestRelay): Promise<Status> =>
  app.get(StatusService, { strict: false }).current();

/** A relay whose time a test advances. */
const startOutbound = async (environment = {}) => {
  const clock = new HandMovedClock(Date.now());
  const relay = forThisTest(
    await startRelay({ ADMIN_PORT: '0', ...environment }, (builder) =>
      builder.overrideProvider(Clock).useValue(clock),
    ),
  );
  return { relay, clock, tunnel: tunnelClient(relay.url, inbound.url) };
};

describe('the status of a relay', () => {
  it('counts the requests to a peer, how long they took, and how many there were a second', async () => {
    const { relay, clock, tunnel } = await startOutbound();
    for (let count = 0; count < 20; count += 1) {
      await tunnel.send({ method: 'POST', body: 'x' });
    }
    clock.advance(1_000);
    const [peer] = (await statusOf(relay)).report.peers;
    expect(peer).toMatchObject({
      role: 'outbound',
      name: undefined,
      origin: inbound.url,
      state: 'paired',
      sessions: 1,
      traffic: {
        requests: 20,
        errors: 0,
        requestsPerSecond: 2,
        p50Ms: expect.any(Number) as number,
        p99Ms: expect.any(Number) as number,
      },
    });
    clock.advance(60_000);
    const later = (await statusOf(relay)).report.peers[0]?.traffic;
    expect(later).toEqual({
      requests: 20,
      errors: 0,
      requestsPerSecond: 0,
      errorsPerSecond: 0,
      p50Ms: undefined,
      p99Ms: undefined,
    });
  });

  it('has the refusals, and the last one of each peer and client', async () => {
    const { relay, tunnel } = await startOutbound();
    const nobody = tunnelClient(relay.url, 'http://127.0.0.1:9');
    await nobody.send();
    await tunnel.send({ headers: { 'x-mte-outbound-token': 'wrong' } });
    const { report } = await statusOf(relay);
    expect(report.refusals.map(({ code, status, role }) => ({ code, status, role }))).toEqual([
      { code: 'RELAY_TOKEN_INVALID', status: 401, role: 'outbound' },
      { code: 'RELAY_PEER_UNREACHABLE', status: 502, role: 'outbound' },
    ]);
    expect(report.peers[0]).toMatchObject({
      origin: 'http://127.0.0.1:9',
      state: 'unreachable',
      traffic: { requests: 1, errors: 1 },
      lastRefusal: { code: 'RELAY_PEER_UNREACHABLE', peer: 'http://127.0.0.1:9' },
    });
    // Who has no token is no client.
    expect(report.clients[0]).toMatchObject({
      traffic: { requests: 1, errors: 1 },
      lastRefusal: { code: 'RELAY_PEER_UNREACHABLE' },
    });
  });

  it('has what the last hour brought, in intervals of ten seconds', async () => {
    const { relay, clock, tunnel } = await startOutbound();
    await tunnel.send();
    await tunnel.send({ headers: { 'x-mte-outbound-token': 'wrong' } });
    expect((await statusOf(relay)).history.requests.every((count) => count === 0)).toBe(true);
    clock.advance(10_000);
    const { requests, errors } = (await statusOf(relay)).history;
    expect([requests.at(-1), errors.at(-1)]).toEqual([2, 1]);
    clock.advance(3_600_000);
    const later = (await statusOf(relay)).history;
    expect(later.requests).toHaveLength(360);
    expect(later.requests.every((count) => count === 0)).toBe(true);
  });

  it('counts nothing for a peer that nobody has proved to be', async () => {
    const before = (await statusOf(inbound)).report.peers.find(({ role }) => role === 'inbound');
    const forged = { 'x-mte-relay': '1', 'x-mte-client-id': 'forged' };
    const { status } = await request(inbound.url, {
      method: 'POST',
      path: '/api/mte-relay',
      headers: forged,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    const { report } = await statusOf(inbound);
    expect(report.peers.find(({ role }) => role === 'inbound')).toEqual(before);
    expect(report.refusals[0]).toMatchObject({ role: 'inbound', status });
  });

  it('tells of the store, the tenant and the process', async () => {
    const { tunnel } = await startOutbound();
    await tunnel.send();
    const { report } = await statusOf(inbound);
    expect(report.store).toMatchObject({ kind: 'memory', state: 'available' });
    expect(report.tenants).toEqual([
      { name: undefined, upstream: upstream.url, state: 'reachable', connections: 1 },
    ]);
    expect(report.relay).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      roles: ['outbound', 'inbound'],
      workers: 1,
      directory: 'none',
      underWay: 0,
    });
  });

  it('has neither a secret nor a token', async () => {
    const { relay, tunnel } = await startOutbound();
    await tunnel.send();
    const text = JSON.stringify(await statusOf(relay));
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(TOKEN);
  });

  it('has as many peers that clients have named as there are rows, those that were used last', async () => {
    const { relay, tunnel } = await startOutbound();
    for (let port = 1; port <= MAX_ROWS + 10; port += 1) {
      await tunnelClient(relay.url, `http://127.0.0.2:${port}`).send();
    }
    await tunnel.send();
    const called = (await statusOf(relay)).report.peers.filter(({ role }) => role === 'outbound');
    expect(called).toHaveLength(MAX_ROWS);
    expect(called[0]?.origin).toBe(inbound.url);
    expect(called[1]?.origin).toBe(`http://127.0.0.2:${MAX_ROWS + 10}`);
  });

  it('is not counted without the admin listener', async () => {
    const { relay, tunnel } = await startOutbound({ ADMIN_PORT: '' });
    await tunnel.send();
    await tunnel.send({ headers: { 'x-mte-outbound-token': 'wrong' } });
    const { report } = await statusOf(relay);
    expect(report.peers[0]?.traffic.requests).toBe(0);
    expect(report.refusals).toEqual([]);
  });
});

describe('the status of a relay with a file', () => {
  it('has each origin of a peer, who calls it, its clients and when their tokens expire', async () => {
    const secrets = secretsFor('payments', 'shop');
    const content: DirectoryContent = {
      peers: {
        payments: peerWith('payments', {
          origins: ['https://payments-1.example', 'https://payments-2.example'],
          transport: 'channel',
        }),
        shop: peerWith('shop'),
      },
      clients: { billing: { ...clientWith('a-token-of-billing', 'payments') } },
      tenants: { 'https://relay.example': { upstream: upstream.url, peers: ['shop'] } },
    };
    const relay = forThisTest(await startDirectoryRelay(content, secrets, { ADMIN_PORT: '0' }));
    const { report } = await statusOf(relay);
    expect(report.relay.directory).toBe('in use');
    expect(
      report.peers.map(({ role, name, origin, state }) => [role, name, origin, state]),
    ).toEqual([
      ['outbound', 'payments', 'https://payments-1.example', 'unused'],
      ['outbound', 'payments', 'https://payments-2.example', 'unused'],
      ['inbound', 'payments', undefined, 'unused'],
      ['inbound', 'shop', undefined, 'unused'],
    ]);
    expect(report.clients).toMatchObject([{ name: 'billing', tokenEndsAtMs: undefined }]);
    expect(report.tenants).toMatchObject([
      { name: 'https://relay.example', upstream: upstream.url, state: 'unknown' },
    ]);
    await relay.write('peers: [');
    readDirectoriesNow();
    await expect.poll(async () => (await statusOf(relay)).report.relay.directory).toBe('refused');
  });
});

describe('the status of channels', () => {
  it('has the channels and streams between two relays at both of them', async () => {
    const tunnel = forThisTest(
      await startChannelTunnel({
        handler: (_, response) => {
          response.writeHead(200);
          response.write('the response has begun');
        },
      }),
    );
    const abort = new AbortController();
    const response = await fetch(tunnel.outbound.url, {
      headers: tunnel.clientHeaders,
      signal: abort.signal,
    });
    const numbers = { transport: 'channel', channels: 1, streams: 1 };
    for (const [relay, role] of [
      [tunnel.outbound, 'outbound'],
      [tunnel.inbound, 'inbound'],
    ] as const) {
      const { report } = await statusOf(relay);
      expect(report.peers.find((peer) => peer.role === role)).toMatchObject(numbers);
    }
    abort.abort();
    await response.body?.cancel().catch(() => undefined);
  });
});
