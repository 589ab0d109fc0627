import { randomBytes } from 'node:crypto';
import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js';
import { describe, expect, it } from 'vitest';

import { hpkeExporter } from '../../../test/support/protocol/hpke-oracle.js';
import { isSlow } from '../../../test/support/lifecycle/property.js';
import { decapsulate, encapsulate, generateKeyPair, pairTranscript } from './key-exchange.js';
import type { SecretKeys } from './secret-keys.js';

const RUNS = isSlow ? 500 : 25;

/** Random values for everything that a key exchange depends on. */
function randomInputs() {
  const secretKeys: SecretKeys = {
    kid: randomBytes(4).toString('hex'),
    sender: randomBytes(32),
    error: randomBytes(32),
    store: randomBytes(32),
    psk: randomBytes(32),
  };
  const identity = `${secretKeys.kid}.relay-${randomBytes(3).toString('hex')}`;
  const header = `${identity}.${randomBytes(32).toString('base64url')}`;
  const transcript = pairTranscript(header, randomBytes(1_300));
  return { seed: randomBytes(32), randomness: randomBytes(64), secretKeys, identity, transcript };
}

/** The three keys of protocol.md section 4, derived by a separate implementation of RFC 9180. */
function exportedKeys(sharedSecret: Uint8Array, inputs: ReturnType<typeof randomInputs>) {
  const { secretKeys, identity, transcript } = inputs;
  const derive = hpkeExporter(
    sharedSecret,
    transcript.hash,
    secretKeys.psk,
    Buffer.from(identity, 'ascii'),
  );
  return {
    clientToServer: derive('c2s', 32),
    serverToClient: derive('s2c', 32),
    confirm: derive('confirm', 32),
  };
}

describe('a separate implementation of X-Wing and RFC 9180', () => {
  it('derives the same public key from the same seed', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const seed = randomBytes(32);
      const { publicKey } = await generateKeyPair(seed);
      expect(Buffer.from(publicKey).equals(xWing.keygen(seed).publicKey)).toBe(true);
    }
  });

  it('encapsulates to the same bytes and exports the same keys from the same randomness', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const inputs = randomInputs();
      const { seed, randomness, secretKeys, identity, transcript } = inputs;
      const { publicKey } = xWing.keygen(seed);
      const theirs = xWing.encapsulate(publicKey, randomness);
      const ours = await encapsulate(publicKey, transcript, secretKeys, identity, randomness);
      expect(Buffer.from(ours.encapsulation).equals(theirs.cipherText)).toBe(true);
      expect(ours.keys).toEqual(exportedKeys(theirs.sharedSecret, inputs));
    }
  });

  it('decapsulates what this one encapsulates with fresh randomness', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const inputs = randomInputs();
      const { publicKey, secretKey } = xWing.keygen(inputs.seed);
      const { encapsulation, keys } = await encapsulate(
        publicKey,
        inputs.transcript,
        inputs.secretKeys,
        inputs.identity,
      );
      const sharedSecret = xWing.decapsulate(encapsulation, secretKey);
      expect(keys).toEqual(exportedKeys(sharedSecret, inputs));
    }
  });

  it('encapsulates what this one decapsulates to the same keys', async () => {
    for (let run = 0; run < RUNS; run += 1) {
      const inputs = randomInputs();
      const { keyPair, publicKey } = await generateKeyPair(inputs.seed);
      const { cipherText, sharedSecret } = xWing.encapsulate(publicKey);
      const keys = await decapsulate(
        cipherText,
        keyPair,
        inputs.transcript,
        inputs.secretKeys,
        inputs.identity,
      );
      expect(keys).toEqual(exportedKeys(sharedSecret, inputs));
    }
  });

  it('derives the same keys from an altered encapsulation', async () => {
    const inputs = randomInputs();
    const { keyPair, publicKey } = await generateKeyPair(inputs.seed);
    const { cipherText } = xWing.encapsulate(publicKey);
    cipherText[0]! ^= 1;
    const sharedSecret = xWing.decapsulate(cipherText, xWing.keygen(inputs.seed).secretKey);
    const keys = await decapsulate(
      cipherText,
      keyPair,
      inputs.transcript,
      inputs.secretKeys,
      inputs.identity,
    );
    expect(keys).toEqual(exportedKeys(sharedSecret, inputs));
  });
});

describe('the exchanged keys', () => {
  it('depend on the psk, the identity and the transcript', async () => {
    const inputs = randomInputs();
    const { publicKey } = await generateKeyPair(inputs.seed);
    const exchange = async (other: Partial<typeof inputs>) => {
      const { transcript, secretKeys, identity, randomness } = { ...inputs, ...other };
      return (await encapsulate(publicKey, transcript, secretKeys, identity, randomness)).keys;
    };
    const usual = await exchange({});
    expect(await exchange({})).toEqual(usual);
    for (const other of [
      { secretKeys: { ...inputs.secretKeys, psk: randomBytes(32) } },
      { identity: `${inputs.identity}x` },
      { transcript: { ...inputs.transcript, hash: randomBytes(32) } },
      { randomness: randomBytes(64) },
    ]) {
      const keys = await exchange(other);
      expect(keys.clientToServer).not.toEqual(usual.clientToServer);
      expect(keys.serverToClient).not.toEqual(usual.serverToClient);
      expect(keys.confirm).not.toEqual(usual.confirm);
    }
  });

  it('cannot be derived from the psk and the public values alone', async () => {
    const inputs = randomInputs();
    const { publicKey } = await generateKeyPair(inputs.seed);
    const { encapsulation, keys } = await encapsulate(
      publicKey,
      inputs.transcript,
      inputs.secretKeys,
      inputs.identity,
    );
    const known = [publicKey, encapsulation, inputs.secretKeys.psk, Buffer.alloc(32)];
    for (const guess of known) {
      expect(exportedKeys(guess, inputs).clientToServer).not.toEqual(keys.clientToServer);
    }
  });

  it('are derived without modifying the inputs, even if buffers share memory', async () => {
    const inputs = randomInputs();
    const pool = Buffer.concat([Buffer.alloc(64, 1), inputs.secretKeys.psk, Buffer.alloc(64, 2)]);
    const before = Buffer.from(pool);
    const { publicKey } = await generateKeyPair(inputs.seed);
    const secretKeys = { ...inputs.secretKeys, psk: pool.subarray(64, 96) };
    const { transcript, identity, randomness } = inputs;
    const shared = await encapsulate(publicKey, transcript, secretKeys, identity, randomness);
    const apart = await encapsulate(publicKey, transcript, inputs.secretKeys, identity, randomness);
    expect(shared.keys).toEqual(apart.keys);
    expect(pool).toEqual(before);
  });
});
