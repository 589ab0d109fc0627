import { deriveSecretKeys } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { deliverTo, type WireResponse } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, type MessageSpec } from '../support/attackers/protocol-client.js';
import { errorOf, request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import {
  peerWith,
  secretsFor,
  startDirectoryRelay,
  type DirectoryContent,
  type DirectoryRelay,
} from '../support/relays/directory-relay.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const ONE = 'http://one.example';
const TWO = 'https://two.example:8443';
const SECRETS = secretsFor('shop', 'payments');

const shared = sharedResources();
/** The APIs of the two tenants, and that of whoever has another file. */
let one: Upstream;
let two: Upstream;
let other: Upstream;

beforeAll(async () => {
  [one, two, other] = [
    shared(await startUpstream()),
    shared(await startUpstream()),
    shared(await startUpstream()),
  ];
});

beforeEach(() => {
  [one, two, other].forEach((upstream) => {
    upstream.forget();
  });
});

const hits = (): Record<string, number> => ({ one: one.hits, two: two.hits, other: other.hits });
const NOWHERE = { one: 0, two: 0, other: 0 };

const peers = { shop: peerWith('shop'), payments: peerWith('payments') };
const start = (content: DirectoryContent, environment = {}): Promise<DirectoryRelay> =>
  startDirectoryRelay({ peers, clients: {}, ...content }, SECRETS, {
    TUNNEL_TRANSPORT: 'auto',
    ...environment,
  });

const bothTenants = (rest = {}): DirectoryContent => ({
  tenants: {
    [ONE]: { upstream: one.url, peers: ['shop'], ...rest },
    [TWO]: { upstream: two.url, peers: ['shop', 'payments'], ...rest },
  },
});

describe('#94 a message in a session that was paired for one tenant', () => {
  let relay: DirectoryRelay;
  let peer: ProtocolClient;

  beforeAll(async () => {
    relay = shared(await start(bothTenants({ upstreamHost: 'client' })));
    peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
  });

  const NAMES_TWO: readonly (readonly [string, MessageSpec, readonly string[]])[] = [
    ['its authority', { head: { authority: 'two.example:8443' } }, []],
    ['its scheme and authority', { head: { scheme: 'https', authority: 'two.example:8443' } }, []],
    ['a sealed x-mte-upstream', { head: { fields: ['x-mte-upstream', TWO] } }, []],
    ['a sealed host', { head: { fields: ['host', 'two.example:8443'] } }, []],
    [
      'a sealed forwarded field',
      { head: { fields: ['x-forwarded-host', 'two.example:8443'] } },
      [],
    ],
    ['an x-mte-upstream on the way', {}, ['x-mte-upstream', TWO]],
    [
      'forwarded fields on the way',
      {},
      ['x-forwarded-host', 'two.example:8443', 'forwarded', 'host="two.example:8443"'],
    ],
    ['an origin on the way', {}, ['origin', TWO]],
  ];

  it.each(NAMES_TWO)(
    'never reaches another tenant, whatever names that: %s',
    async (_what, spec, onTheWay) => {
      const message = peer.seal(spec);
      const rawHeaders = [...message.rawHeaders, ...onTheWay];

      const response = await deliverTo(relay.url, { ...message, rawHeaders });

      // Some of them break a rule of their own, and are refused.
      if (response.status === 200) {
        peer.open(message, response);
      }
      expect(hits()).toMatchObject({ two: 0, other: 0 });
    },
  );

  it('reaches its tenant, although the Host on the way names another', async () => {
    const message = peer.seal();

    const response = await deliverTo(relay.url, message, 'two.example:8443');

    expect(peer.open(message, response).head.status).toBe(200);
    expect(hits()).toEqual({ ...NOWHERE, one: 1 });
  });
});

describe('#94 a request that nobody has authenticated', () => {
  let relay: DirectoryRelay;

  beforeAll(async () => {
    relay = shared(
      await start({
        clients: { billing: { tokens: [{ sha256: '0'.repeat(64) }] } },
        tenants: {
          [ONE]: { upstream: one.url, passThroughRoutes: ['/open/*', '/only-one'] },
          [TWO]: { upstream: two.url, passThroughRoutes: ['/open/*'] },
          'https://closed.example': { upstream: other.url },
        },
      }),
    );
  });

  it.each([
    ['one.example', { one: 1 }],
    ['ONE.example', { one: 1 }],
    ['one.example:80', { one: 1 }],
    ['two.example:8443', { two: 1 }],
  ])('reaches the tenant that its Host names, on its routes: %s', async (host, expected) => {
    expect(await request(relay.url, { path: '/open/x', headers: { host } })).toMatchObject({
      status: 200,
    });
    expect(hits()).toEqual({ ...NOWHERE, ...expected });
  });

  it.each([
    ['a name of nobody', '/open/x', { host: 'unknown.example' }],
    ['another port', '/open/x', { host: 'two.example' }],
    ['a tenant without such routes', '/open/x', { host: 'closed.example' }],
    ['a route of another tenant', '/only-one', { host: 'two.example:8443' }],
    ['a subdomain', '/open/x', { host: 'www.one.example' }],
    ['user information', '/open/x', { host: 'one.example@two.example:8443' }],
    ['a list', '/open/x', { host: 'one.example, two.example:8443' }],
    ['x-mte-upstream', '/open/x', { host: 'unknown.example', 'x-mte-upstream': ONE }],
    [
      'forwarded fields',
      '/open/x',
      { host: 'unknown.example', 'x-forwarded-host': 'one.example', forwarded: 'host=one.example' },
    ],
  ])('reaches nobody by %s', async (_what, path, headers) => {
    const response = await request(relay.url, { path, headers });

    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
    expect(hits()).toEqual(NOWHERE);
  });

  it('reaches one tenant at most with two names: of the target and of Host', async () => {
    const bytes =
      'GET http://one.example/only-one HTTP/1.1\r\nHost: two.example:8443\r\nConnection: close\r\n\r\n';
    await exchangeRaw(relay.port, bytes);
    expect(hits()).toMatchObject({ two: 0, other: 0 });
  });

  it('is refused with two Host fields', async () => {
    const bytes =
      'GET /open/x HTTP/1.1\r\nHost: one.example\r\nHost: two.example:8443\r\nConnection: close\r\n\r\n';
    expect((await exchangeRaw(relay.port, bytes)).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(hits()).toEqual(NOWHERE);
  });
});

describe('#94 two relays with one Redis and different files', () => {
  const startBoth = async (second: DirectoryContent) => {
    const redis = await startRedisServer();
    shared({ close: () => redis.stop() });
    const environment = { REDIS_URL: redis.url };
    const first = shared(await start(bothTenants(), environment));
    return { first, second: shared(await start(second, environment)) };
  };
  const summaryOf = (
    peer: ProtocolClient,
    message: ReturnType<ProtocolClient['seal']>,
    response: WireResponse,
  ) => peer.signedErrorOf(message, response) ?? { status: response.status };

  it('do not open sessions for a tenant that only the other has, and leave its messages to it', async () => {
    const { first, second } = await startBoth({ tenants: { [TWO]: { upstream: other.url } } });
    const peer = await ProtocolClient.pair(first.url, SECRETS.shop, ONE);
    const message = peer.seal();

    expect(summaryOf(peer, message, await deliverTo(second.url, message))).toEqual({ status: 566 });
    expect(hits()).toEqual(NOWHERE);
    expect(peer.open(message, await deliverTo(first.url, message)).head.status).toBe(200);
    expect(hits()).toEqual({ ...NOWHERE, one: 1 });
  });

  it('do not let a peer in that only the other admits, and make sure that its message never runs', async () => {
    const { first, second } = await startBoth({
      tenants: { [ONE]: { upstream: other.url, peers: ['payments'] } },
    });
    const peer = await ProtocolClient.pair(first.url, SECRETS.shop, ONE);
    const message = peer.seal();

    expect(summaryOf(peer, message, await deliverTo(second.url, message))).toMatchObject({
      status: 559,
      isNeverForwarded: true,
    });
    expect(await deliverTo(first.url, message)).toMatchObject({ status: 565 });
    expect(hits()).toEqual(NOWHERE);
  });

  it('do not sign that a message never runs which the other has forwarded', async () => {
    const { first, second } = await startBoth({
      tenants: { [ONE]: { upstream: other.url, peers: ['payments'] } },
    });
    const peer = await ProtocolClient.pair(first.url, SECRETS.shop, ONE);
    const message = peer.seal();
    await deliverTo(first.url, message);

    expect(summaryOf(peer, message, await deliverTo(second.url, message))).toMatchObject({
      status: 565,
      isNeverForwarded: false,
    });
    expect(hits()).toEqual({ ...NOWHERE, one: 1 });
  });

  it('do not know the peers of one another', async () => {
    const { first, second } = await startBoth({
      peers: { payments: peerWith('payments') },
      tenants: { [ONE]: { upstream: other.url } },
    });
    const peer = await ProtocolClient.pair(first.url, SECRETS.shop, ONE);

    expect(await deliverTo(second.url, peer.seal())).toMatchObject({ status: 566 });
    const { secretKeys } = await ProtocolClient.pair(second.url, SECRETS.payments, ONE);
    expect(secretKeys).toEqual(await deriveSecretKeys(SECRETS.payments));
    expect(await deliverTo(second.url, peer.stolenBy(secretKeys).seal())).toMatchObject({
      status: 566,
    });
    expect(hits()).toEqual(NOWHERE);
  });
});
