import { createHmac, randomBytes, scryptSync } from 'node:crypto';
import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js';
import { Clock } from '@relay/clock';
import { loadConfig } from '@relay/config';
import {
  CLIENT_ID_HEADER,
  PairingInitiator,
  deriveSecretKeys,
  openSessionBlob,
  pairTranscript,
  parseClientIdHeader,
  type SecretKeys,
  type SessionKeys,
} from '@relay/protocol';
import { SessionStore } from '@relay/session';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, request } from '../support/clients/client.js';
import { HandMovedClock } from '../support/time/hand-moved-clock.js';
import { hpkeExporter } from '../support/protocol/hpke-oracle.js';
import { deliverTo, headerOf } from '../support/attackers/man-in-the-middle.js';
import { ProtocolClient, signedPairing } from '../support/attackers/protocol-client.js';
import { DEFAULTS, SECRET, TOKEN, startRelay, type TestRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { startUpstream, type Upstream } from '../support/upstreams/upstream.js';

/** Their place in a pairing request and in its response: protocol.md section 4. */
const PUBLIC_KEY_BYTES = 1216;
const ENCAPSULATION = { from: 10, to: 1130 };
const LIFETIME_MS = 3_600_000;

const shared = sharedResources();
let keys: SecretKeys;
let upstream: Upstream;
/** Holds the secret that the attacker knows. */
let inbound: TestRelay;

beforeAll(async () => {
  keys = await deriveSecretKeys(SECRET);
  upstream = shared(await startUpstream());
  inbound = shared(await startRelay({ UPSTREAM: upstream.url }));
});

beforeEach(() => {
  upstream.forget();
});

/** A pairing as it went over the wire, and the ephemeral key, which did not. */
const recordPairing = async () => {
  const ephemeral = randomBytes(32);
  const initiator = await PairingInitiator.begin(inbound.url, Date.now(), ephemeral);
  const pairing = signedPairing(initiator.requestBody, keys);
  const response = await deliverTo(inbound.url, pairing);
  const header = headerOf(pairing, CLIENT_ID_HEADER);
  const session = await initiator.complete(header, response.body, keys);
  return { ephemeral, initiator, pairing, response, header, session };
};

/** HKDF-Expand of RFC 5869, for a single block. */
const expand = (root: Buffer, info: string): Buffer =>
  createHmac('sha256', root).update(info).update(Buffer.of(1)).digest();

const sessionIn = async (relay: TestRelay, sid: string, header: string): Promise<SessionKeys> => {
  const blob = await relay.app.get<SessionStore>(SessionStore).open(sid);
  return openSessionBlob(blob!, keys, sid, parseClientIdHeader(header).identity).keys;
};

describe('#21 an attacker who recorded a session and learns the secret later', () => {
  it('lacks the ephemeral key, which was never sent and is discarded: it alone would open the session', async () => {
    const { ephemeral, initiator, pairing, response, header, session } = await recordPairing();
    const { hash } = pairTranscript(header, pairing.body);
    const identity = Buffer.from(parseClientIdHeader(header).identity);
    const keyFrom = (sharedSecret: Uint8Array): Buffer =>
      hpkeExporter(sharedSecret, hash, keys.psk, identity)('c2s', 32);
    const encapsulation = response.body.subarray(ENCAPSULATION.from, ENCAPSULATION.to);

    expect(keyFrom(xWing.decapsulate(encapsulation, ephemeral))).toEqual(
      session.keys.clientToServer,
    );
    const guesses = [
      ...[keys.sender, keys.error, keys.store, keys.psk, hash, Buffer.alloc(32)],
      ...[encapsulation, pairing.body, response.body].map((bytes) => bytes.subarray(-32)),
      xWing.encapsulate(pairing.body.subarray(-PUBLIC_KEY_BYTES)).sharedSecret,
      ...[keys.psk, randomBytes(32)].map((seed) => xWing.decapsulate(encapsulation, seed)),
    ];
    for (const guess of guesses) {
      expect(keyFrom(guess).equals(session.keys.clientToServer)).toBe(false);
    }
    await expect(initiator.complete(header, response.body, keys)).rejects.toThrow();
  });

  it('gets other keys if a relay of their own answers the recorded pairing', async () => {
    const foreign = forThisTest(await startRelay());
    const { pairing, header, session } = await recordPairing();

    expect(await deliverTo(foreign.url, pairing)).toMatchObject({ status: 200 });

    expect(await sessionIn(inbound, session.sid, header)).toEqual(session.keys);
    expect(await sessionIn(foreign, session.sid, header)).not.toEqual(session.keys);
  });

  it('finds nothing about an expired session in the store', async () => {
    const clock = new HandMovedClock(Date.now());
    const forgetful = forThisTest(
      await startRelay({}, (builder) => builder.overrideProvider(Clock).useValue(clock)),
    );
    const client = await ProtocolClient.pair(forgetful.url);
    const store = forgetful.app.get<SessionStore>(SessionStore);
    expect(await store.open(client.session.sid)).toBeDefined();

    clock.advance(LIFETIME_MS + 1);

    expect(await deliverTo(forgetful.url, client.seal())).toMatchObject({ status: 560 });
    expect(await store.open(client.session.sid)).toBeUndefined();
  });
});

describe('#22 a leaked secret', () => {
  const OTHER = randomBytes(32).toString('base64url');

  it('lets an attacker act as either relay while it is in use: a documented limit', async () => {
    const thief = await ProtocolClient.pair(inbound.url, SECRET);

    expect(await thief.deliver(thief.seal())).toMatchObject({ status: 200 });
  });

  it('is useless once it has been changed: it pairs with no relay', async () => {
    const changed = forThisTest(
      await startRelay({ UPSTREAM: upstream.url, CLIENT_ID_SECRET: OTHER }),
    );
    const outbound = forThisTest(await startRelay());
    const headers = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': changed.url };

    await expect(ProtocolClient.pair(changed.url, SECRET)).rejects.toThrow();
    const response = await request(outbound.url, { headers });

    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(upstream.hits).toBe(0);
  });
});

describe('#39 a secret that is being changed', () => {
  it('works alongside its successor while CLIENT_ID_SECRET_ALT holds one of the two', async () => {
    const next = randomBytes(32).toString('base64url');
    const steps = [
      { CLIENT_ID_SECRET: SECRET, CLIENT_ID_SECRET_ALT: next },
      { CLIENT_ID_SECRET: next, CLIENT_ID_SECRET_ALT: SECRET },
    ];

    for (const step of steps) {
      const relay = forThisTest(await startRelay({ UPSTREAM: upstream.url, ...step }));
      for (const secret of [SECRET, next]) {
        const client = await ProtocolClient.pair(relay.url, secret);
        expect(await client.deliver(client.seal())).toMatchObject({ status: 200 });
      }
    }
  });
});

describe('#23 guessing the secret', () => {
  it('costs one scrypt with 32 MiB per guess, whichever part of the protocol is attacked', async () => {
    const root = scryptSync('a guess', 'mte-relay/1 root', 32, {
      N: 2 ** 15,
      r: 8,
      p: 1,
      maxmem: 64 * 1024 * 1024,
    });
    const derived = await deriveSecretKeys('a guess');

    for (const [label, key] of Object.entries({
      sender: derived.sender,
      error: derived.error,
      store: derived.store,
      psk: derived.psk,
    })) {
      expect(key, label).toEqual(expand(root, `mte-relay/1 ${label}`));
    }
    expect(derived.kid).toBe(expand(root, 'mte-relay/1 kid').toString('hex', 0, 4));
  });

  it.each([0, 1, 15])(
    'is prevented for secrets of %i characters: no relay starts with one',
    (length) => {
      expect(() => loadConfig({ ...DEFAULTS, CLIENT_ID_SECRET: 'x'.repeat(length) })).toThrow(
        expect.objectContaining({
          problems: [expect.stringContaining('CLIENT_ID_SECRET')],
        }) as Error,
      );
    },
  );

  it.each(['kq7Zt1mXw9LrB4vN', 'the-secret-of-our-two-relays-2024', 'ab'.repeat(20)])(
    'is prevented in production where it may succeed ("%s"), and causes a warning elsewhere',
    (CLIENT_ID_SECRET) => {
      const environment = {
        ...DEFAULTS,
        OUTBOUND_TOKEN: randomBytes(32).toString('base64url'),
        CLIENT_ID_SECRET,
      };
      const { warnings } = loadConfig(environment);

      expect(warnings.join('\n')).toMatch(/^CLIENT_ID_SECRET .*openssl rand -base64 32$/m);
      expect(warnings.join('\n')).not.toContain(CLIENT_ID_SECRET);
      expect(() => loadConfig({ ...environment, NODE_ENV: 'production' })).toThrow(
        expect.objectContaining({
          problems: [expect.stringMatching(/^CLIENT_ID_SECRET .*openssl rand -base64 32$/)],
        }) as Error,
      );
    },
  );
});
