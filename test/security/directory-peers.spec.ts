import { randomBytes } from 'node:crypto';
import { CLIENT_ID_HEADER, deriveSecretKeys, type SecretKeys } from '@relay/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openingBy } from '../support/attackers/channel-attacker.js';
import {
  deliverTo,
  headerOf,
  type WireRequest,
  type WireResponse,
} from '../support/attackers/man-in-the-middle.js';
import {
  ProtocolClient,
  pairingRequest,
  signedPairing,
} from '../support/attackers/protocol-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { openSocket } from '../support/network/raw-socket.js';
import {
  peerWith,
  secretsFor,
  startDirectoryRelay,
  type DirectoryRelay,
} from '../support/relays/directory-relay.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const ONE = 'https://one.example';
const ALSO_ONE = 'https://also-one.example';
const TWO = 'https://two.example';
const BOTH = 'https://both.example';
const EVERYBODY = 'https://everybody.example';
const UNKNOWN = 'https://unknown.example';

const SECRETS = secretsFor('shop', 'shop-next', 'payments', 'guest', 'stranger');

type Holder = keyof typeof SECRETS;

/** Whom the file admits to what. */
const ADMITTED: Readonly<Record<string, readonly Holder[]>> = {
  [ONE]: ['shop', 'shop-next'],
  [ALSO_ONE]: ['shop', 'shop-next'],
  [TWO]: ['payments'],
  [BOTH]: ['shop', 'shop-next', 'payments'],
  [EVERYBODY]: ['shop', 'shop-next', 'payments', 'guest'],
  [UNKNOWN]: [],
  // Without a port, with another scheme, and as a subdomain they are other origins.
  'https://one.example:8443': [],
  'http://one.example': [],
  'https://www.one.example': [],
  shop: [],
};

const shared = sharedResources();
const upstreams = {} as Record<string, Upstream>;
let relay: DirectoryRelay;
let keys: Readonly<Record<Holder, SecretKeys>>;

beforeAll(async () => {
  for (const name of [ONE, TWO, BOTH, EVERYBODY]) {
    upstreams[name] = shared(await startUpstream());
  }
  const tenant = (name: string, rest = {}) => ({ upstream: upstreams[name]?.url, ...rest });
  relay = shared(
    await startDirectoryRelay(
      {
        peers: {
          shop: peerWith('shop', { secretAlt: { file: 'shop-next' } }),
          payments: peerWith('payments'),
          guest: peerWith('guest'),
        },
        clients: {},
        tenants: {
          [ONE]: tenant(ONE, { peers: ['shop'], aliases: [ALSO_ONE] }),
          [TWO]: tenant(TWO, { peers: ['payments'] }),
          [BOTH]: tenant(BOTH, { peers: ['shop', 'payments'] }),
          [EVERYBODY]: tenant(EVERYBODY),
        },
      },
      // That of the stranger is a file, too, which the directory does not name.
      SECRETS,
      { TUNNEL_TRANSPORT: 'auto' },
    ),
  );
  const derived = Object.entries(SECRETS).map(
    async ([name, secret]) => [name, await deriveSecretKeys(secret)] as const,
  );
  keys = Object.fromEntries(await Promise.all(derived)) as Record<Holder, SecretKeys>;
});

beforeEach(() => {
  Object.values(upstreams).forEach((upstream) => {
    upstream.forget();
  });
});

/** Which APIs have received a request. */
const reached = (): string[] =>
  Object.keys(upstreams).filter((name) => (upstreams[name]?.hits ?? 0) > 0);

const deliver = (request: WireRequest): Promise<WireResponse> => deliverTo(relay.url, request);

const enter = (holder: Holder, audience: string): Promise<ProtocolClient> =>
  ProtocolClient.pair(relay.url, SECRETS[holder], audience);

/** The status of an opening. */
async function statusOfOpening(peer: ProtocolClient): Promise<string | undefined> {
  const socket = forThisTest(openSocket(relay.port));
  socket.write(openingBy(peer).bytes);
  return /^HTTP\/1\.1 (\d+)/.exec((await socket.until('\r\n\r\n')).toString('latin1'))?.[1];
}

const CASES = (Object.keys(SECRETS) as Holder[]).flatMap((holder) =>
  Object.entries(ADMITTED).map(
    ([audience, admitted]) => [holder, audience, admitted.includes(holder)] as const,
  ),
);

describe('#93 the holder of a secret', () => {
  it.each(CASES.filter(([, , isAdmitted]) => isAdmitted))(
    'of %s pairs for %s, and reaches the API of that tenant alone',
    async (holder, audience) => {
      const peer = await enter(holder, audience);
      const message = peer.seal();

      const response = await deliver(message);

      expect(peer.open(message, response).head.status).toBe(200);
      expect(reached()).toEqual([audience === ALSO_ONE ? ONE : audience]);
    },
  );

  it.each(CASES.filter(([, , isAdmitted]) => !isAdmitted))(
    'of %s does not pair for %s',
    async (holder, audience) => {
      const { request } = await pairingRequest(audience, keys[holder]);

      const response = await deliver(request);

      expect(response).toMatchObject({ status: 566, body: Buffer.alloc(0) });
      expect(reached()).toEqual([]);
    },
  );

  it.each([
    ["an audience that is nobody's", UNKNOWN, `no tenant has the audience ${UNKNOWN}`],
    ['a tenant of others', TWO, `the peer shop may not enter the tenant ${TWO}`],
  ])('has what it asked for in the log: %s', async (_what, audience, reason) => {
    const { request } = await pairingRequest(audience, keys.shop);
    await deliver(request);

    const line = await relay.log.find(
      ({ error }) => (error as { message?: string } | undefined)?.message === reason,
    );

    expect(line).toMatchObject({ code: 'RELAY_AUDIENCE_REFUSED', peer: 'shop' });
    expect(JSON.stringify(line)).not.toContain(SECRETS.shop);
  });
});

describe('#93 a relay that holds the secret of shop', () => {
  /** Signs with the secret of shop under the key id of payments. */
  const inTheNameOfPayments = (): SecretKeys => ({ ...keys.shop, kid: keys.payments.kid });

  it('does not pair in the name of payments', async () => {
    const { request } = await pairingRequest(TWO, inTheNameOfPayments());
    expect(await deliver(request)).toMatchObject({ status: 566 });
  });

  it('does not pair for the tenant of payments under the client id of a relay of payments', async () => {
    const { request } = await pairingRequest(TWO, keys.shop, Date.now(), 'protocol-client');
    expect(await deliver(request)).toMatchObject({ status: 566 });
  });

  it('gains nothing from a pairing request of payments: neither as it was, nor signed again', async () => {
    const { request } = await pairingRequest(TWO, keys.payments);
    expect(await deliver(request)).toMatchObject({ status: 200 });

    expect(await deliver(request)).toMatchObject({ status: 565 });
    expect(await deliver(signedPairing(request.body, keys.shop))).toMatchObject({ status: 566 });
    const renamed = signedPairing(request.body, inTheNameOfPayments());
    expect(await deliver(renamed)).toMatchObject({ status: 566 });
  });

  it('cannot read the response to a pairing of payments', async () => {
    const { request, initiator } = await pairingRequest(TWO, keys.payments);
    const { body } = await deliver(request);
    const header = headerOf(request, CLIENT_ID_HEADER);

    await expect(initiator.complete(header, body, keys.shop)).rejects.toThrow();
    await expect(initiator.complete(header, body, inTheNameOfPayments())).rejects.toThrow();
  });

  it.each([
    ['with its own key id', () => keys.shop],
    ['with its next one', () => keys['shop-next']],
    ['with that of payments', inTheNameOfPayments],
    ['as guest', () => keys.guest],
  ])('cannot use a session of payments, all of whose keys it has: %s', async (_how, signedWith) => {
    for (const audience of [TWO, BOTH, EVERYBODY]) {
      const owner = await enter('payments', audience);
      const thief = owner.stolenBy(signedWith());

      expect(await deliver(thief.seal())).toMatchObject({ status: 566 });
      expect(await deliver(thief.seal({ type: 'check' }))).toMatchObject({ status: 566 });
      expect(await statusOfOpening(thief)).toBe('566');
      expect(reached()).toEqual([]);

      // No number of it was consumed: the owner has not lost one.
      expect(await deliver(owner.seal())).toMatchObject({ status: 200 });
      upstreams[audience]?.forget();
    }
  });

  it('cannot use a session that was paired with its other secret', async () => {
    const owner = await enter('shop', ONE);
    expect(await deliver(owner.stolenBy(keys['shop-next']).seal())).toMatchObject({ status: 566 });
    expect(reached()).toEqual([]);
  });

  it('cannot use a session of another relay of shop under another client id', async () => {
    const owner = await enter('shop', ONE);
    expect(await deliver(owner.stolenBy(keys.shop, 'other').seal())).toMatchObject({ status: 566 });
    expect(reached()).toEqual([]);
  });

  it('has nothing to gain from a session id alone', async () => {
    const owner = await enter('payments', TWO);
    const own = await enter('shop', BOTH);
    const header = own.seal().relayHeader.replace(own.session.sid, owner.session.sid);

    expect(await deliver(own.signed(header, randomBytes(300)))).toMatchObject({ status: 566 });
    expect(reached()).toEqual([]);
  });

  it('cannot have an error believed that B signed for it', async () => {
    const payments = await enter('payments', TWO);
    const shop = await enter('shop', ONE);
    const used = shop.seal();
    await deliver(used);
    const refusal = await deliver(used);
    expect(shop.signedErrorOf(used, refusal)).toMatchObject({ status: 565 });

    expect(payments.signedErrorOf(payments.seal(), refusal)).toBeUndefined();
  });
});
