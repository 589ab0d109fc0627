import { beforeAll, expect, it, vi } from 'vitest';

import { flipBit } from '../../../test/support/attackers/corruption.js';
import { isSlow } from '../../../test/support/lifecycle/property.js';
import type * as keyExchange from './key-exchange.js';
import { pairTranscript } from './key-exchange.js';
import { PAIR_RESPONSE_BYTES, decodePairRequest } from './pair-message.js';
import { PairingInitiator } from './pairing-initiator.js';
import { respondToPairing } from './pairing-responder.js';
import { PairConfirmInvalidError, PairMessageMalformedError } from './protocol.errors.js';
import { deriveSecretKeys, type SecretKeys } from './secret-keys.js';

/**
 * A decapsulation takes about 4 ms, and here its outcome depends only on the encapsulation. Outcomes are therefore
 * cached, so that flipping every bit of all other fields costs little.
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
  secretKeys = await deriveSecretKeys('a secret for the pairing tests only');
  const identity = `${secretKeys.kid}.relay-a`;
  header = `${identity}.${'A'.repeat(43)}`;
  initiator = await PairingInitiator.begin('https://b.example', Date.now());
  const response = await respondToPairing(
    decodePairRequest(initiator.requestBody).publicKey,
    pairTranscript(header, initiator.requestBody),
    secretKeys,
    identity,
    { lifetimeSeconds: 3_600, maxMessages: 1_000 },
  );
  responseBody = response.responseBody;
});

/** A copy of the initiator that has not completed yet, so that one key pair serves thousands of altered responses. */
function unused(): PairingInitiator {
  return Object.assign(Object.create(PairingInitiator.prototype) as PairingInitiator, initiator);
}

/** The class of the error that rejects the response with this bit flipped. */
async function refusal(bit: number): Promise<unknown> {
  return unused()
    .complete(header, flipBit(responseBody, bit), secretKeys)
    .then(
      () => 'accepted',
      (error: unknown) => (error as Error).constructor,
    );
}

it('the unaltered response is accepted by each copy of the initiator', async () => {
  await unused().complete(header, responseBody, secretKeys);
  await unused().complete(header, responseBody, secretKeys);
});

it('a response with any bit of its version or suite flipped is malformed', async () => {
  for (let bit = 0; bit < 16; bit += 1) {
    expect(await refusal(bit)).toBe(PairMessageMalformedError);
  }
});

it('a response with any bit of its terms flipped is malformed or not confirmed', async () => {
  for (let bit = 16; bit < 80; bit += 1) {
    expect([PairMessageMalformedError, PairConfirmInvalidError]).toContain(await refusal(bit));
  }
});

it('a response with any bit of its confirmation flipped is not confirmed', async () => {
  for (let bit = CONFIRM_AT * 8; bit < PAIR_RESPONSE_BYTES * 8; bit += 1) {
    expect(await refusal(bit)).toBe(PairConfirmInvalidError);
  }
}, 60_000);

it(`a response with ${isSlow ? 'any' : 'one'} bit of any byte of its encapsulation flipped is not confirmed`, async () => {
  for (let at = 10; at < CONFIRM_AT; at += 1) {
    for (const bit of isSlow ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8]) {
      expect(await refusal(at * 8 + bit)).toBe(PairConfirmInvalidError);
    }
  }
}, 600_000);
