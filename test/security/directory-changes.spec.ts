import { RelayStatus } from '@relay/errors';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ChannelAttacker, openingBy } from '../support/attackers/channel-attacker.js';
import { deliverTo } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { openSocket } from '../support/network/raw-socket.js';
import { Type, headersFrame } from '../support/protocol/channel-frames.js';
import {
  peerWith,
  secretsFor,
  startDirectoryRelay,
  type DirectoryContent,
  type DirectoryRelay,
} from '../support/relays/directory-relay.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const ONE = 'https://one.example';
const TWO = 'https://two.example';
const SECRETS = secretsFor('shop', 'shop-next', 'payments');

const shared = sharedResources();
let one: Upstream;
let two: Upstream;

beforeAll(async () => {
  one = shared(await startUpstream());
  two = shared(await startUpstream());
});

beforeEach(() => {
  one.forget();
  two.forget();
});

const content = (
  shop: Readonly<Record<string, unknown>> = peerWith('shop'),
  ofOne: Readonly<Record<string, unknown>> = { peers: ['shop', 'payments'] },
): DirectoryContent => ({
  peers: { shop, payments: peerWith('payments') },
  clients: {},
  tenants: {
    [ONE]: { upstream: one.url, ...ofOne },
    [TWO]: { upstream: two.url, peers: ['payments'] },
  },
});

const withoutTenant = (): DirectoryContent => ({
  ...content(),
  tenants: { [TWO]: { upstream: two.url, peers: ['payments'] } },
});
const withoutPeer = (): DirectoryContent => ({
  peers: { payments: peerWith('payments') },
  clients: {},
  tenants: {
    [ONE]: { upstream: one.url, peers: ['payments'] },
    [TWO]: { upstream: two.url, peers: ['payments'] },
  },
});

/** Starts a relay that admits shop to the first tenant. @param shop - its entry */
const start = async (shop = peerWith('shop')): Promise<DirectoryRelay> =>
  forThisTest(
    await startDirectoryRelay(content(shop), SECRETS, {
      TUNNEL_TRANSPORT: 'auto',
      SHUTDOWN_TIMEOUT_MS: '1000',
    }),
  );

const REFUSED = { status: RelayStatus.SESSION_EXPIRED, isNeverForwarded: true };
const UNSIGNED = { status: RelayStatus.SENDER_REFUSED };

const REMOVALS = [
  ['its tenant is gone', withoutTenant, REFUSED],
  [
    'its tenant does not list it any more',
    () => content(undefined, { peers: ['payments'] }),
    REFUSED,
  ],
  ['its entry is gone', withoutPeer, UNSIGNED],
  ['its secret is another one', () => content(peerWith('shop-next')), UNSIGNED],
] as const;

/** What the relay says to a request of a peer. */
async function answerTo(
  peer: ProtocolClient,
  message: ReturnType<ProtocolClient['seal']>,
): Promise<object> {
  const response = await deliverTo(peer.origin, message);
  const signed = response.status === 200 ? undefined : peer.signedErrorOf(message, response);
  return signed ?? { status: response.status };
}

/** The head of a message as it is sent. */
function headOf({ method, path, rawHeaders, body }: ReturnType<ProtocolClient['seal']>): string {
  const fields = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  return `${method} ${path} HTTP/1.1\r\nhost: a\r\n${fields.join('')}content-length: ${body.length}\r\n\r\n`;
}

/** The status of an opening. */
async function statusOfOpening(peer: ProtocolClient, { port }: DirectoryRelay): Promise<number> {
  const socket = forThisTest(openSocket(port));
  socket.write(openingBy(peer).bytes);
  const answer = (await socket.until('\r\n\r\n')).toString('latin1');
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

describe('#95 a peer of which the file says that', () => {
  it.each(REMOVALS)(
    '%s, reaches nothing with the session that it has',
    async (_what, next, answer) => {
      const relay = await start();
      const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
      expect(await answerTo(peer, peer.seal())).toEqual({ status: 200 });

      await relay.change(next());

      expect(await answerTo(peer, peer.seal())).toMatchObject(answer);
      expect(await answerTo(peer, peer.seal({ type: 'mte', body: ['x'] }))).toMatchObject(answer);
      expect(await answerTo(peer, peer.seal({ type: 'check' }))).toMatchObject(answer);
      expect(await statusOfOpening(peer, relay)).toBe(answer.status);
      const { request } = await pairingRequest(ONE, peer.secretKeys);
      expect(await deliverTo(relay.url, request)).toMatchObject(UNSIGNED);
      expect([one.hits, two.hits]).toEqual([1, 0]);
    },
  );

  it.each(REMOVALS)(
    '%s, reaches nothing through the channel that it has, which ends',
    async (_what, next) => {
      const relay = await start();
      const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
      const channel = forThisTest(await ChannelAttacker.open(peer, relay.port));
      channel.send(headersFrame(1));
      await channel.frames.find(({ stream, type }) => stream === 1 && type === Type.HEADERS);

      await relay.change(next());

      await channel.frames.find(({ type }) => type === Type.GOAWAY);
      channel.send(headersFrame(3));
      // Whatever it does, it keeps the connection no longer than a relay that stops would allow.
      await channel.socket.ended;
      await relay.log.find(({ msg }) => msg === 'channel broke');
      expect(channel.framesOf(3)).toEqual([]);
      expect([one.hits, two.hits]).toEqual([1, 0]);
    },
  );

  it.each(REMOVALS.slice(0, 2))(
    '%s, has a message refused that is still arriving, and that never was forwarded',
    async (_what, next) => {
      const relay = await start();
      const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
      const message = peer.seal({ type: 'mte', body: ['x'.repeat(1_000)] });
      const socket = forThisTest(openSocket(relay.port));
      socket.write(headOf(message));
      socket.write(message.body.subarray(0, -1));

      await relay.change(next());
      socket.write(message.body.subarray(-1));

      const answer = (await socket.until('\r\n\r\n')).toString('latin1');
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${RelayStatus.SESSION_EXPIRED} `));
      expect(one.hits).toBe(0);
    },
  );

  it.each(REMOVALS)(
    '%s, still gets the response to what has reached the API',
    async (_what, next) => {
      const relay = await start();
      const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
      const channel = forThisTest(await ChannelAttacker.open(peer, relay.port));
      let respond = (): void => undefined;
      const allowed = new Promise<void>((resolve) => {
        respond = resolve;
      });
      one.handle(async (_request, response) => {
        await allowed;
        response.end('late');
      });
      try {
        const message = peer.seal();
        const response = deliverTo(relay.url, message);
        channel.send(headersFrame(1));
        await one.requests.count(2);

        await relay.change(next());
        respond();

        expect(peer.open(message, await response).body.toString()).toBe('late');
        const head = await channel.frames.find(({ stream }) => stream === 1);
        expect(head.type).toBe(Type.HEADERS);
      } finally {
        one.handle((_request, response) => void response.end());
      }
    },
  );
});

describe('#95 a change of the file', () => {
  it('that gives a tenant another API holds for what follows in a channel and in a session', async () => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
    const channel = forThisTest(await ChannelAttacker.open(peer, relay.port));

    await relay.change(content(undefined, { upstream: two.url, peers: ['shop'] }));

    channel.send(headersFrame(1));
    await channel.frames.find(({ stream, type }) => stream === 1 && type === Type.HEADERS);
    expect(await answerTo(peer, peer.seal())).toEqual({ status: 200 });
    expect([one.hits, two.hits]).toEqual([0, 2]);
  });

  it('that narrows the routes of a tenant holds for what follows in a channel', async () => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
    const channel = forThisTest(await ChannelAttacker.open(peer, relay.port));

    await relay.change(content(undefined, { peers: ['shop'], routes: ['/open/*'] }));

    channel.send(headersFrame(1, { path: '/closed' }), headersFrame(3, { path: '/open/x' }));
    await channel.frames.find(({ stream, type }) => stream === 3 && type === Type.HEADERS);
    await channel.frames.find(({ stream, type }) => stream === 1 && type === Type.HEADERS);
    expect(one.requests.items.map(({ url }) => url)).toEqual(['/open/x']);
  });

  it('that gives a tenant back, or admits its peer again, does not bring back a message in between', async () => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
    await relay.change(withoutTenant());
    const message = peer.seal();
    expect(await answerTo(peer, message)).toMatchObject(REFUSED);

    await relay.change(content());

    expect(await answerTo(peer, message)).toMatchObject({ status: RelayStatus.REPLAYED });
    expect(one.hits).toBe(0);
    expect(await answerTo(peer, peer.seal())).toEqual({ status: 200 });
  });

  it('does not touch the session and the channel of any other peer', async () => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.payments, TWO);
    const channel = forThisTest(await ChannelAttacker.open(peer, relay.port));

    await relay.change(withoutPeer());

    channel.send(headersFrame(1));
    await channel.frames.find(({ stream, type }) => stream === 1 && type === Type.HEADERS);
    expect(await answerTo(peer, peer.seal())).toEqual({ status: 200 });
    expect(channel.frames.items.some(({ type }) => type === Type.GOAWAY)).toBe(false);
    expect(two.hits).toBe(2);
  });

  it('that adds a second secret keeps the sessions of the first, until that is removed', async () => {
    const both = peerWith('shop-next', { secretAlt: { file: 'shop' } });
    const relay = await start();
    const before = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);

    await relay.change(content(both));
    const after = await ProtocolClient.pair(relay.url, SECRETS['shop-next'], ONE);
    expect(await answerTo(before, before.seal())).toEqual({ status: 200 });
    expect(await answerTo(after, after.seal())).toEqual({ status: 200 });

    await relay.change(content(peerWith('shop-next')));
    expect(await answerTo(before, before.seal())).toMatchObject(UNSIGNED);
    expect(await answerTo(after, after.seal())).toEqual({ status: 200 });
  });
});
