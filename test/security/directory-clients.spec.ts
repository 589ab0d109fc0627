import { createHash } from 'node:crypto';
import { Clock } from '@relay/clock';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request } from '../support/clients/client.js';
import {
  openPair,
  refusedWebSocket,
  type WebSocketPair,
} from '../support/clients/web-socket-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  peerWith,
  secretsFor,
  startDirectoryRelay,
  type DirectoryContent,
  type DirectoryRelay,
} from '../support/relays/directory-relay.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import {
  echo,
  startWebSocketServer,
  type TestWebSocketServer,
} from '../support/upstreams/web-socket-server.js';

const SECRETS = secretsFor('shop', 'shop-next', 'other');
const DAY_MS = 24 * 60 * 60 * 1_000;
const BILLING = 'a-token-of-the-client-billing';
const REPORTS = 'a-token-of-the-client-reports';

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');

const shared = sharedResources();
let api: TestWebSocketServer;

beforeAll(async () => {
  api = shared(await startWebSocketServer(echo));
});

/** Where clients of this relay may go, and its tenant. */
let outbound: DirectoryRelay;
let inbound: DirectoryRelay;
let clock: HandMovedClock;

/** A tenant that nobody asks for here. */
const another = () => ({ 'https://another.example': { upstream: api.url } });

const ofInbound = (rest: DirectoryContent = {}): DirectoryContent => ({
  peers: { shop: peerWith('shop') },
  clients: {},
  tenants: { [inbound.url]: { upstream: api.url, peers: ['shop'], passThroughRoutes: ['/open'] } },
  ...rest,
});

const ofOutbound = (rest: DirectoryContent = {}): DirectoryContent => ({
  peers: {
    b: peerWith('shop', { origins: [inbound.url] }),
    other: peerWith('other', { origins: ['https://other.example'] }),
  },
  clients: {
    billing: {
      tokens: [
        { sha256: sha256(BILLING), expires: new Date(clock.nowMs() + DAY_MS).toISOString() },
      ],
      peers: ['b'],
    },
    reports: { tokens: [{ sha256: sha256(REPORTS) }] },
  },
  tenants: {},
  ...rest,
});

beforeEach(async () => {
  clock = new HandMovedClock(Date.now());
  const environment = { TUNNEL_TRANSPORT: 'auto' };
  const any = { peers: { shop: peerWith('shop') }, clients: {}, tenants: another() };
  inbound = forThisTest(await startDirectoryRelay(any, SECRETS, environment));
  // It is an audience of its own address, which is known only now.
  await inbound.change(ofInbound());
  outbound = forThisTest(
    await startDirectoryRelay(ofOutbound(), SECRETS, environment, (builder) =>
      builder.overrideProvider(Clock).useValue(clock),
    ),
  );
});

const wayOf = (token: string, peer = 'b') => ({
  url: outbound.url,
  webSocketUrl: outbound.url.replace('http', 'ws'),
  headers: { 'x-mte-outbound-token': token, 'x-mte-upstream': peer },
});

const open = (token: string, peer = 'b'): Promise<WebSocketPair> =>
  openPair(api, wayOf(token, peer));

/** Sends a text, and waits until the API has sent it back. */
const isOpen = async ({ client }: WebSocketPair): Promise<true> => {
  const text = `still open ${client.events.items.length}`;
  client.socket.send(text);
  await client.events.find(([name, said]) => name === 'text' && said === text);
  return true;
};

/** Waits until both ends have been told that the connection was lost. */
async function untilLost({ client, api: accepted }: WebSocketPair): Promise<void> {
  for (const end of [client, accepted]) {
    expect((await end.closed()).at(-1)).toEqual(['close', 1006, '']);
  }
}

const others = { reports: { tokens: [{ sha256: sha256(REPORTS) }] } };

describe('#96 the open WebSocket of a client', () => {
  const CHANGES: readonly (readonly [string, () => Promise<void>, object])[] = [
    [
      'whose token was removed',
      () =>
        outbound.change(
          ofOutbound({
            clients: { ...others, billing: { tokens: [{ sha256: sha256('its next token') }] } },
          }),
        ),
      { status: 401 },
    ],
    ['that was removed', () => outbound.change(ofOutbound({ clients: others })), { status: 401 }],
    [
      'that may not call its peer any more',
      () =>
        outbound.change(
          ofOutbound({
            clients: {
              ...others,
              billing: { tokens: [{ sha256: sha256(BILLING) }], peers: ['other'] },
            },
          }),
        ),
      { status: 403 },
    ],
    [
      'whose token has expired',
      () => {
        clock.jump(DAY_MS + 1);
        return Promise.resolve();
      },
      { status: 401 },
    ],
  ];

  it('ends if it was the only client, and is removed', async () => {
    const { billing } = ofOutbound().clients ?? {};
    await outbound.change(ofOutbound({ clients: { billing: billing ?? {} } }));
    const only = await open(BILLING);
    expect(await isOpen(only)).toBe(true);

    await outbound.change(ofOutbound({ clients: {} }));

    await untilLost(only);
    expect(await refusedWebSocket(wayOf(BILLING))).toMatchObject({ status: 401 });
  });

  it.each(CHANGES)(
    '%s ends, and that of another client does not',
    async (_what, change, refusal) => {
      const [billing, reports] = await Promise.all([open(BILLING), open(REPORTS)]);
      expect(await isOpen(billing)).toBe(true);

      await change();

      await untilLost(billing);
      expect(await isOpen(reports)).toBe(true);
      expect(await refusedWebSocket(wayOf(BILLING))).toMatchObject(refusal);
      const response = await request(outbound.url, { headers: wayOf(BILLING).headers });
      expect(response).toMatchObject(refusal);
      expect(errorOf(response)).toMatchObject({ forwarded: 'no' });
      expect(JSON.stringify(outbound.log.items)).not.toContain(BILLING);
    },
  );

  it.each([
    [
      'is gone from the file of relay A',
      () =>
        outbound.change(
          ofOutbound({
            peers: { other: peerWith('other', { origins: ['https://other.example'] }) },
            clients: { reports: { tokens: [{ sha256: sha256(REPORTS) }] } },
          }),
        ),
    ],
    [
      'is gone from the file of relay B',
      () =>
        inbound.change(
          ofInbound({
            peers: { other: peerWith('other') },
            tenants: { [inbound.url]: { upstream: api.url } },
          }),
        ),
    ],
    [
      'may not enter the tenant any more',
      () =>
        inbound.change(
          ofInbound({
            peers: { shop: peerWith('shop'), other: peerWith('other') },
            tenants: { [inbound.url]: { upstream: api.url, peers: ['other'] } },
          }),
        ),
    ],
    ['has lost its tenant', () => inbound.change(ofInbound({ tenants: another() }))],
  ])('ends if its peer %s', async (_what, change) => {
    const pair = await open(REPORTS);
    expect(await isOpen(pair)).toBe(true);

    await change();

    await untilLost(pair);
    const refused = await refusedWebSocket(wayOf(REPORTS));
    expect([403, 501, 502]).toContain(refused.status);
    expect(refused.body).toContain('"forwarded":"no"');
  });

  it('goes on through changes that do not concern it', async () => {
    const pair = await open(BILLING);

    await outbound.change(
      ofOutbound({
        clients: {
          billing: { tokens: [{ sha256: sha256(BILLING) }, { sha256: sha256('another') }] },
        },
      }),
    );
    await inbound.change(
      ofInbound({ peers: { shop: peerWith('shop'), other: peerWith('other') } }),
    );
    // The first secret only signs, once both relays know both.
    await inbound.change(
      ofInbound({ peers: { shop: peerWith('shop', { secretAlt: { file: 'shop-next' } }) } }),
    );
    await outbound.change(
      ofOutbound({
        peers: {
          b: peerWith('shop-next', { origins: [inbound.url], secretAlt: { file: 'shop' } }),
          other: peerWith('other', { origins: ['https://other.example'] }),
        },
      }),
    );

    expect(await isOpen(pair)).toBe(true);
    expect(await request(outbound.url, { headers: wayOf(BILLING).headers })).toMatchObject({
      status: 200,
    });
  });
});

describe('#96 an open WebSocket on a pass-through route', () => {
  it('ends if its tenant is removed, and not before', async () => {
    const way = { url: inbound.url, webSocketUrl: inbound.url.replace('http', 'ws'), headers: {} };
    const openPlain = () => openPair(api, way, { path: '/open' });
    const tenant = { upstream: api.url, peers: ['shop'], passThroughRoutes: ['/open'] };
    const first = await openPlain();
    expect(await isOpen(first)).toBe(true);

    await inbound.change(
      ofInbound({
        tenants: { [inbound.url]: { ...tenant, corsOrigins: ['https://page.example'] } },
      }),
    );
    expect(await isOpen(first)).toBe(true);
    await inbound.change(ofInbound({ tenants: another() }));
    await untilLost(first);
  });
});

describe('#96 a client that names a peer', () => {
  it.each([
    ['that it may not call', 'other', 403],
    ['that it may not call, by its origin', 'https://other.example', 403],
    ['that it may not call, by another spelling of its origin', 'HTTPS://OTHER.example:443/', 403],
    ['that there is not', 'nobody', 403],
    ['by an origin that nobody lists', 'https://nobody.example', 403],
    ['by a name with blanks', ' b', 200],
    ['by a list', 'b, other', 400],
    ['by a path', 'b/../other', 400],
  ])('%s', async (_what, peer, status) => {
    const response = await request(outbound.url, { headers: wayOf(BILLING, peer).headers });
    expect(response.status).toBe(status);
  });
});
