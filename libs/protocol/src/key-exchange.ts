import { createHash, createHmac, type webcrypto } from 'node:crypto';

import { CipherSuite, ExportOnly, HkdfSha256 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';

import { lengthPrefixed } from './length-prefixed.js';
import { PairConfirmInvalidError, PairKeyInvalidError } from './protocol.errors.js';
import type { SessionKeys } from './session-keys.js';
import type { SecretKeys } from './secret-keys.js';
import { SALT_BYTES } from './tunnel-header.js';

const kem = new XWing();
/** RFC 9180, export-only; the psk in the parameters is what selects mode_psk. protocol.md section 4. */
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new ExportOnly() });

const KEY_BYTES = 32;

/**
 * The hash of a signed pairing request. Both sides compute it and bind the key exchange to it, so that one changed byte
 * gives different keys. protocol.md section 4.
 */
export interface PairTranscript {
  /** SHA-256 over the `x-mte-client-id` value and the request body. 32 bytes. */
  readonly hash: Buffer;
  /** The session id, 22 characters of base64url. A replayed request has the same one, which is how it is detected. */
  readonly sid: string;
}

/** The keys that one key exchange yields. */
export interface ExchangedKeys extends SessionKeys {
  /** MACs the pairing response, which proves that the responder holds the secret and saw this transcript. 32 bytes. */
  readonly confirm: Buffer;
}

/** A key pair that serves exactly one pairing. */
export type EphemeralKeyPair = webcrypto.CryptoKeyPair;

/**
 * Hashes a pairing request, and derives the session id from the hash. protocol.md section 4.
 *
 * @param clientIdHeader - the `x-mte-client-id` value exactly as sent or received
 * @param body - the whole request body; only read
 */
export function pairTranscript(clientIdHeader: string, body: Uint8Array): PairTranscript {
  const hash = createHash('sha256')
    .update(lengthPrefixed('mte-relay/1 pair', clientIdHeader, body))
    .digest();
  return { hash, sid: hash.toString('base64url', 0, SALT_BYTES) };
}

/**
 * Derives an X-Wing key pair.
 *
 * @param seed - 32 random bytes: the X-Wing decapsulation key
 */
export async function generateKeyPair(
  seed: Uint8Array,
): Promise<{ readonly keyPair: EphemeralKeyPair; readonly publicKey: Uint8Array }> {
  const keyPair = await kem.generateKeyPairDerand(Uint8Array.from(seed));
  return { keyPair, publicKey: new Uint8Array(await kem.serializePublicKey(keyPair.publicKey)) };
}

/**
 * The responder's side of the key exchange.
 *
 * @param randomness - 64 bytes that replace random ones; for known-answer tests only
 * @throws PairKeyInvalidError if encapsulation to the public key fails
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

/**
 * The initiator's side of the key exchange. A wrong encapsulation usually gives different keys instead of an error;
 * only the confirmation reveals it.
 *
 * @throws PairConfirmInvalidError if decapsulation fails, as it does for an X25519 point of small order
 */
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
    throw new PairConfirmInvalidError('the encapsulation cannot be decapsulated', {
      cause: error,
    });
  }
}

/**
 * Computes the confirmation, the last field of a pairing response.
 *
 * @param confirmed - all bytes of the response before the confirmation
 */
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

/**
 * A copy, because the HPKE library reads the whole ArrayBuffer of its inputs, which small Buffers share with others.
 */
function exactArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
