import { beforeAll, expect, it, vi } from 'vitest';

import { flipBit } from '../../../test/support/corruption.js';
import { isSlow } from '../../../test/support/property.js';
import type * as keyExchange from './key-exchange.js';
import { pairTranscript } from './key-exchange.js';
import { PAIR_RESPONSE_BYTES, decodePairRequest } from './pair-message.js';
import { PairingInitiator } from './pairing-initiator.js';
import { respondToPairing } from './pairing-responder.js';
import { PairConfirmInvalidError, PairMessageMalformedError } from './protocol.errors.js';
import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';

/**
 * Only the encapsulation differs from one decapsulation to the next here, and each takes about 4 ms: the true outcome
 * of the same one is used again, so that every bit of all other fields costs little.
 */
vi.mock('./key-exchange.js', async (importOriginal) => {
  const original = await importOriginal<typeof keyExchange>();
  const outcomes = new Map<string, ReturnType<typeof keyExchange.decapsulate>>();
  const decapsulate: typeof keyExchange.decapsulate = (encapsulation, ...rest) => {
    const name = Buffer.from(encapsulation).toString('latin1');
    const outcome = outcomes.get(name) ?? original.decapsulate(encapsulation, ...rest);
    outcomes.set(name, outcome);
    return outcome;
  };
  return { ...original, decapsulate };
});

const CONFIRM_AT = PAIR_RESPONSE_BYTES - 32;

let secretKeys: SecretKeys;
let initiator: PairingInitiator;
let header: string;
let responseBody: Buffer;

beforeAll(async () => {
  secretKeys = await deriveSecretKeys('a secret of the pairing tests alone');
  const identity = `${secretKeys.kid}.relay-a`;
  header = `${identity}.${'A'.repeat(43)}`;
  initiator = await PairingInitiator.begin('https://b.example', Date.now());
  const answer = await respondToPairing(
    decodePairRequest(initiator.requestBody).publicKey,
    pairTranscript(header, initiator.requestBody),
    secretKeys,
    identity,
    { lifetimeSeconds: 3_600, maxMessages: 1_000 },
  );
  responseBody = answer.responseBody;
});

/** The same initiator before its one use: thousands of answers are tried, and none of them needs a key of its own. */
function unused(): PairingInitiator {
  return Object.assign(Object.create(PairingInitiator.prototype) as PairingInitiator, initiator);
}

/** The class that refused the answer with this bit flipped. */
async function refusal(bit: number): Promise<unknown> {
  return unused()
    .complete(header, flipBit(responseBody, bit), secretKeys)
    .then(
      () => 'accepted',
      (error: unknown) => (error as Error).constructor,
    );
}

it('the unchanged answer is accepted, as often as it is tried here', async () => {
  await unused().complete(header, responseBody, secretKeys);
  await unused().complete(header, responseBody, secretKeys);
});

it('an answer with any bit of version or suite flipped is malformed', async () => {
  for (let bit = 0; bit < 16; bit += 1) {
    expect(await refusal(bit)).toBe(PairMessageMalformedError);
  }
});

it('an answer with any bit of its terms flipped is malformed or not confirmed', async () => {
  for (let bit = 16; bit < 80; bit += 1) {
    expect([PairMessageMalformedError, PairConfirmInvalidError]).toContain(await refusal(bit));
  }
});

it('an answer with any bit of its confirmation flipped is not confirmed', async () => {
  for (let bit = CONFIRM_AT * 8; bit < PAIR_RESPONSE_BYTES * 8; bit += 1) {
    expect(await refusal(bit)).toBe(PairConfirmInvalidError);
  }
}, 60_000);

it(`an answer with ${isSlow ? 'any' : 'one'} bit of any byte of its encapsulation flipped is not confirmed`, async () => {
  for (let at = 10; at < CONFIRM_AT; at += 1) {
    for (const bit of isSlow ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
      expect(await refusal(at * 8 + bit)).toBe(PairConfirmInvalidError);
    }
  }
}, 600_000);
