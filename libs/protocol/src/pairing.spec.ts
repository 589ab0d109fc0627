import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import { pairTranscript } from './key-exchange.js';
import { decodePairRequest } from './pair-message.js';
import { PairingInitiator, type PairedSession } from './pairing-initiator.js';
import { respondToPairing, type SessionTerms } from './pairing-responder.js';
import { PairConfirmInvalidError, PairKeyInvalidError } from './protocol.errors.js';
import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';
import { RelayError } from '@relay/errors';

const audience = 'https://b.example';
const terms: SessionTerms = { lifetimeSeconds: 3_600, maxMessages: 1_000 };

let secretKeys: SecretKeys;
let identity: string;
let header: string;

beforeAll(async () => {
  secretKeys = await deriveSecretKeys('a secret for the pairing tests only');
  identity = `${secretKeys.kid}.relay-a`;
  header = `${identity}.${'A'.repeat(43)}`;
});

async function begin(): Promise<PairingInitiator> {
  return PairingInitiator.begin(audience, Date.now());
}

/** The response of an honest responder, or of one that differs in the given values. */
async function respond(
  initiator: PairingInitiator,
  other: { keys?: SecretKeys; identity?: string; header?: string; terms?: SessionTerms } = {},
): ReturnType<typeof respondToPairing> {
  return respondToPairing(
    decodePairRequest(initiator.requestBody).publicKey,
    pairTranscript(other.header ?? header, initiator.requestBody),
    other.keys ?? secretKeys,
    other.identity ?? identity,
    other.terms ?? terms,
  );
}

describe('a pairing', () => {
  it('gives both sides the same session', async () => {
    const initiator = await begin();
    const { keys, responseBody } = await respond(initiator);
    const session = await initiator.complete(header, responseBody, secretKeys);
    expect(session).toMatchObject({
      ...terms,
      sid: pairTranscript(header, initiator.requestBody).sid,
    });
    expect(session.keys.clientToServer).toEqual(keys.clientToServer);
    expect(session.keys.serverToClient).toEqual(keys.serverToClient);
    expect(keys.clientToServer).not.toEqual(keys.serverToClient);
  });

  it('gives both sides the two direction keys, but not the confirmation key', async () => {
    const initiator = await begin();
    const { keys, responseBody } = await respond(initiator);
    const session = await initiator.complete(header, responseBody, secretKeys);
    expect(Object.keys(keys).sort()).toEqual(['clientToServer', 'serverToClient']);
    expect(Object.keys(session.keys).sort()).toEqual(['clientToServer', 'serverToClient']);
  });

  it('gives a session id of 16 bytes, in the form of the tunnel header', async () => {
    const { sid } = pairTranscript(header, (await begin()).requestBody);
    expect(sid).toMatch(/^[A-Za-z0-9_-]{21}[AQgw]$/);
  });

  it('gives different keys and a different session id every time', async () => {
    const sessions = await Promise.all(
      [1, 2, 3].map(async (): Promise<PairedSession> => {
        const initiator = await begin();
        const { responseBody } = await respond(initiator);
        return initiator.complete(header, responseBody, secretKeys);
      }),
    );
    expect(new Set(sessions.map(({ sid }) => sid)).size).toBe(3);
    const keys = sessions.flatMap(({ keys }) => [keys.clientToServer, keys.serverToClient]);
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(6);
  });

  it('gives different keys for each response to the same request', async () => {
    const initiator = await begin();
    const [first, second] = [await respond(initiator), await respond(initiator)];
    expect(first.keys.clientToServer).not.toEqual(second.keys.clientToServer);
    expect(first.responseBody).not.toEqual(second.responseBody);
  });

  it('gives a replayed request the same session id, and a changed request a different one', async () => {
    const { requestBody } = await begin();
    const { sid } = pairTranscript(header, requestBody);
    expect(pairTranscript(header, Buffer.from(requestBody)).sid).toBe(sid);
    expect(pairTranscript(`${header.slice(0, -1)}B`, requestBody).sid).not.toBe(sid);
    expect(pairTranscript(header, requestBody.subarray(1)).sid).not.toBe(sid);
    const shifted = Buffer.concat([Buffer.from('A'), requestBody]);
    expect(pairTranscript(header.slice(0, -1), shifted).sid).not.toBe(sid);
  });
});

describe('an initiator', () => {
  it('rejects a response made with another secret', async () => {
    const initiator = await begin();
    const other = await deriveSecretKeys('another secret for the pairing tests');
    const { responseBody } = await respond(initiator, { keys: other });
    await expect(initiator.complete(header, responseBody, secretKeys)).rejects.toThrow(
      PairConfirmInvalidError,
    );
  });

  it('rejects a response to another identity, header or request', async () => {
    const otherHeader = `${identity}.${'B'.repeat(43)}`;
    for (const other of [
      { identity: `${secretKeys.kid}.relay-b` },
      { header: otherHeader },
      { header: `${secretKeys.kid}.relay-b.${'A'.repeat(43)}` },
    ]) {
      const initiator = await begin();
      const { responseBody } = await respond(initiator, other);
      await expect(initiator.complete(header, responseBody, secretKeys)).rejects.toThrow(
        PairConfirmInvalidError,
      );
    }
    const { responseBody } = await respond(await begin());
    await expect((await begin()).complete(header, responseBody, secretKeys)).rejects.toThrow(
      PairConfirmInvalidError,
    );
  });

  it('rejects the right response if its own header has changed', async () => {
    const initiator = await begin();
    const { responseBody } = await respond(initiator);
    const changed = `${identity}.${'A'.repeat(42)}B`;
    await expect(initiator.complete(changed, responseBody, secretKeys)).rejects.toThrow(
      PairConfirmInvalidError,
    );
  });

  it('rejects its own header if it is malformed', async () => {
    const initiator = await begin();
    const { responseBody } = await respond(initiator);
    await expect(initiator.complete('', responseBody, secretKeys)).rejects.toMatchObject({
      code: 'RELAY_HEADER_MALFORMED',
    });
  });

  it('completes only once, whether it succeeds or fails', async () => {
    const succeeded = await begin();
    const { responseBody } = await respond(succeeded);
    await succeeded.complete(header, responseBody, secretKeys);
    await expect(succeeded.complete(header, responseBody, secretKeys)).rejects.toThrow(RelayError);

    for (const bad of [Buffer.alloc(0), Buffer.alloc(1_162), randomBytes(1_162)]) {
      const failed = await begin();
      const good = await respond(failed);
      await expect(failed.complete(header, bad, secretKeys)).rejects.toThrow(RelayError);
      await expect(failed.complete(header, good.responseBody, secretKeys)).rejects.toThrow(
        RelayError,
      );
    }
  });

  it('completes only once, even if two responses arrive together', async () => {
    const initiator = await begin();
    const { responseBody } = await respond(initiator);
    const outcomes = await Promise.allSettled([
      initiator.complete(header, responseBody, secretKeys),
      initiator.complete(header, responseBody, secretKeys),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('rejects confirmed terms out of bounds', async () => {
    for (const bad of [
      { lifetimeSeconds: 299, maxMessages: 1 },
      { lifetimeSeconds: 86_401, maxMessages: 1 },
      { lifetimeSeconds: 300, maxMessages: 0 },
      { lifetimeSeconds: 300, maxMessages: 2 ** 20 },
    ]) {
      const initiator = await begin();
      const { responseBody } = await respond(initiator, { terms: bad });
      await expect(initiator.complete(header, responseBody, secretKeys)).rejects.toMatchObject({
        code: 'RELAY_PAIR_MALFORMED',
      });
    }
  });

  it('accepts confirmed terms at the bounds', async () => {
    for (const good of [
      { lifetimeSeconds: 300, maxMessages: 1 },
      { lifetimeSeconds: 86_400, maxMessages: 2 ** 20 - 1 },
    ]) {
      const initiator = await begin();
      const { responseBody } = await respond(initiator, { terms: good });
      expect(await initiator.complete(header, responseBody, secretKeys)).toMatchObject(good);
    }
  });
});

/** X25519 points of small order, and their forms above the prime. RFC 7748 section 6.1 lets both sides reject them. */
const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
].map((point) => Buffer.from(point, 'hex'));

describe('an invalid public key', () => {
  const transcript = { hash: Buffer.alloc(32), sid: '' };

  it.each([
    ['zeros', Buffer.alloc(1_216)],
    ['ones', Buffer.alloc(1_216, 0xff)],
    ['a byte short', randomBytes(1_215)],
    ['a byte long', randomBytes(1_217)],
    ['empty', Buffer.alloc(0)],
  ])('is rejected by the responder: %s', async (_name, publicKey) => {
    await expect(
      respondToPairing(publicKey, transcript, secretKeys, identity, terms),
    ).rejects.toThrow(PairKeyInvalidError);
  });

  it('made of random bytes is accepted or rejected by the responder, but never fails in another way', async () => {
    for (let run = 0; run < 30; run += 1) {
      const publicKey = randomBytes(1_216);
      // Half of the keys have small coefficients, which pass the modulus check of FIPS 203 section 7.2.
      if (run % 2 === 0) {
        publicKey.fill(run, 0, 1_152);
      }
      const outcome = await respondToPairing(publicKey, transcript, secretKeys, identity, terms)
        .then(({ responseBody }) => responseBody.length)
        .catch((error: unknown) => error);
      if (outcome !== 1_162) {
        expect(outcome).toBeInstanceOf(PairKeyInvalidError);
      }
    }
  });

  it('is rejected by the responder if its X25519 part is of small order', async () => {
    const { requestBody } = await begin();
    for (const point of SMALL_ORDER) {
      const publicKey = Buffer.from(decodePairRequest(requestBody).publicKey);
      point.copy(publicKey, 1_184);
      await expect(
        respondToPairing(publicKey, transcript, secretKeys, identity, terms),
      ).rejects.toThrow(PairKeyInvalidError);
    }
  });

  it('of small order in the X25519 part of an encapsulation is rejected by the initiator', async () => {
    for (const point of SMALL_ORDER) {
      const initiator = await begin();
      const { responseBody } = await respond(initiator);
      point.copy(responseBody, 10 + 1_088);
      await expect(initiator.complete(header, responseBody, secretKeys)).rejects.toThrow(
        PairConfirmInvalidError,
      );
    }
  });
});
