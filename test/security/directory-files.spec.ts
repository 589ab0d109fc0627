import { RelayStatus } from '@relay/errors';
import { beforeAll, describe, expect, it } from 'vitest';

import { deliverTo } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, pairingRequest } from '../support/attackers/protocol-client.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import {
  peerWith,
  readDirectoriesNow,
  secretsFor,
  startDirectoryRelay,
  type DirectoryContent,
  type DirectoryRelay,
} from '../support/relays/directory-relay.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

const ONE = 'https://one.example';
const TWO = 'https://two.example';
const SECRETS = secretsFor('shop', 'payments');

const shared = sharedResources();
let api: Upstream;

beforeAll(async () => {
  api = shared(await startUpstream());
});

const content = (
  shop: Readonly<Record<string, unknown>> = peerWith('shop'),
  ofOne: Readonly<Record<string, unknown>> = { peers: ['shop', 'payments'] },
): DirectoryContent => ({
  peers: { shop, payments: peerWith('payments') },
  clients: {},
  tenants: {
    [ONE]: { upstream: api.url, ...ofOne },
    [TWO]: { upstream: api.url, peers: ['payments'] },
  },
});

const withoutTenant = (): DirectoryContent => ({
  ...content(),
  tenants: { [TWO]: { upstream: api.url, peers: ['payments'] } },
});

const start = async (): Promise<DirectoryRelay> =>
  forThisTest(await startDirectoryRelay(content(), SECRETS));

const REFUSED = { status: RelayStatus.SESSION_EXPIRED, isNeverForwarded: true };
const UNSIGNED = { status: RelayStatus.SENDER_REFUSED };

/** What the relay says to a message of a peer. */
async function answerTo(peer: ProtocolClient): Promise<object> {
  const message = peer.seal();
  const response = await deliverTo(peer.origin, message);
  const signed = response.status === 200 ? undefined : peer.signedErrorOf(message, response);
  return signed ?? { status: response.status };
}

describe('#105 a file that cannot be used', () => {
  const BAD: readonly (readonly [string, () => string])[] = [
    ['is empty', () => ''],
    ['is no YAML', () => 'peers: ['],
    ['ends in the middle', () => JSON.stringify(content()).slice(0, 200)],
    [
      'names a peer that it does not have',
      () => JSON.stringify(content(undefined, { peers: ['nobody'] })),
    ],
    ['names a secret that is not there', () => JSON.stringify(content(peerWith('missing')))],
    ['has two peers with one secret', () => JSON.stringify(content(peerWith('payments')))],
    [
      'has an upstream that is no URL',
      () => JSON.stringify(content(undefined, { upstream: 'nowhere' })),
    ],
  ];

  it.each(BAD)('changes nothing, and is reported: it %s', async (_what, text) => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
    const stranger = await pairingRequest(TWO, peer.secretKeys);

    await relay.write(text());
    readDirectoriesNow();

    const line = await relay.log.find(({ msg }) => msg.startsWith('the new directory cannot be'));
    expect(JSON.stringify(line)).not.toContain(SECRETS.payments);
    expect(await answerTo(peer)).toEqual({ status: 200 });
    expect(await deliverTo(relay.url, stranger.request)).toMatchObject(UNSIGNED);
    await relay.change(withoutTenant());
    expect(await answerTo(peer)).toMatchObject(REFUSED);
  });

  it('is not used while it is being written, however complete it looks', async () => {
    const relay = await start();
    const peer = await ProtocolClient.pair(relay.url, SECRETS.shop, ONE);
    const text = JSON.stringify(withoutTenant());

    // No two checks find the same content.
    for (let part = 0; part < 60; part += 1) {
      await relay.write(`${text}\n# ${'.'.repeat(part)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }

    expect(await answerTo(peer)).toEqual({ status: 200 });
    await relay.log.find(({ msg }) => msg === 'the directory was replaced');
    expect(await answerTo(peer)).toMatchObject(REFUSED);
  });
});
