import { createHash, createHmac, type webcrypto } from 'node:crypto';

import { CipherSuite, ExportOnly, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';

import { lengthPrefixed } from './length-prefixed.js';
import { PairConfirmInvalidError, PairKeyInvalidError } from './protocol.errors.js';
import type { SessionKeys } from './session-keys.js';
import type { SecretKeys } from './secret-keys.js';
import { SALT_BYTES } from './tunnel-header.js';

const kem = new XWing();
/** RFC 9180 mode_psk, export-only. Giving a psk is what selects the mode. protocol.md section 4. */
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new ExportOnly() });

const KEY_BYTES = 32;

/** What both sides hash, so that one changed byte gives other keys: the request with its signature. */
export interface PairTranscript {
  /** SHA-256 over the signed client id header and the request body. */
  readonly hash: Buffer;
  /** The session's public name, which a replayed request would claim again. */
  readonly sid: string;
}

/** The outcome of one key exchange. */
export interface ExchangedKeys extends SessionKeys {
  /** MACs the responder's answer: proof that it holds the secret and saw this transcript. */
  readonly confirm: Buffer;
}

/** A key pair that serves exactly one pairing. */
export type EphemeralKeyPair = webcrypto.CryptoKeyPair;

export function pairTranscript(clientIdHeader: string, body: Uint8Array): PairTranscript {
  const hash = createHash('sha256')
    .update(lengthPrefixed('mte-relay/1 pair', clientIdHeader, body))
    .digest();
  return { hash, sid: hash.toString('base64url', 0, SALT_BYTES) };
}

/** @param seed - 32 random bytes: the X-Wing decapsulation key */
export async function generateKeyPair(
  seed: Uint8Array,
): Promise<{ readonly keyPair: EphemeralKeyPair; readonly publicKey: Uint8Array }> {
  const keyPair = await kem.generateKeyPairDerand(Uint8Array.from(seed));
  return { keyPair, publicKey: new Uint8Array(await kem.serializePublicKey(keyPair.publicKey)) };
}

/**
 * The responder's side.
 *
 * @param randomness - 64 bytes that replace fresh ones; for known-answer tests only
 * @throws PairKeyInvalidError where nothing can be encapsulated to the public key
 */
export async function encapsulate(
  publicKey: Uint8Array,
  transcript: PairTranscript,
  secretKeys: SecretKeys,
  identity: string,
  randomness?: Uint8Array,
): Promise<{ readonly encapsulation: Uint8Array; readonly keys: ExchangedKeys }> {
  try {
    const context = await suite.createSenderContext({
      recipientPublicKey: await kem.deserializePublicKey(exactArrayBuffer(publicKey)),
      ...sharedParameters(transcript, secretKeys, identity),
      ...(randomness === undefined ? {} : { ekm: exactArrayBuffer(randomness) }),
    });
    return { encapsulation: new Uint8Array(context.enc), keys: await exportKeys(context) };
  } catch (error) {
    throw new PairKeyInvalidError('cannot encapsulate to the public key', { cause: error });
  }
}

/** The initiator's side. A wrong encapsulation gives other keys, not an error: only the confirmation tells. */
export async function decapsulate(
  encapsulation: Uint8Array,
  keyPair: EphemeralKeyPair,
  transcript: PairTranscript,
  secretKeys: SecretKeys,
  identity: string,
): Promise<ExchangedKeys> {
  try {
    const context = await suite.createRecipientContext({
      recipientKey: keyPair,
      enc: exactArrayBuffer(encapsulation),
      ...sharedParameters(transcript, secretKeys, identity),
    });
    return await exportKeys(context);
  } catch (error) {
    throw new PairConfirmInvalidError('the encapsulation of the peer cannot be opened', {
      cause: error,
    });
  }
}

/** @param confirmed - the whole answer but for its last field */
export function confirmPairing(
  keys: ExchangedKeys,
  transcript: PairTranscript,
  confirmed: Uint8Array,
): Buffer {
  return createHmac('sha256', keys.confirm)
    .update(lengthPrefixed('mte-relay/1 confirm', transcript.hash, confirmed))
    .digest();
}

function sharedParameters(transcript: PairTranscript, secretKeys: SecretKeys, identity: string) {
  return {
    info: exactArrayBuffer(transcript.hash),
    psk: { key: exactArrayBuffer(secretKeys.psk), id: exactArrayBuffer(Buffer.from(identity)) },
  };
}

async function exportKeys(context: {
  export(label: ArrayBuffer, bytes: number): Promise<ArrayBuffer>;
}): Promise<ExchangedKeys> {
  const derive = async (label: string): Promise<Buffer> =>
    Buffer.from(await context.export(exactArrayBuffer(Buffer.from(label)), KEY_BYTES));
  return {
    clientToServer: await derive('c2s'),
    serverToClient: await derive('s2c'),
    confirm: await derive('confirm'),
  };
}

/** The HPKE library reads the whole ArrayBuffer behind what it is given; small Buffers share one with others. */
function exactArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
