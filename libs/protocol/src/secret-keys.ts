import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';

import { hkdfExpand } from './hkdf-expand.js';

const ROOT_SALT = 'mte-relay/1 root';
const ROOT_BYTES = 32;
/** About 130 ms and 32 MiB: what one guess at a weak secret costs. protocol.md section 1. */
const SCRYPT_OPTIONS = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const KID_BYTES = 4;

const scryptAsync = promisify<string, string, number, typeof SCRYPT_OPTIONS, Buffer>(scrypt);

/** The keys that both relays of a tunnel derive from the same CLIENT_ID_SECRET. protocol.md section 1. */
export interface SecretKeys {
  /** Names the secret on the wire: 8 lower-case hexadecimal digits. Not confidential. */
  readonly kid: string;
  /** Signs `x-mte-client-id`. 32 bytes. */
  readonly sender: Buffer;
  /** Signs errors. 32 bytes. */
  readonly error: Buffer;
  /** Seals session blobs. 32 bytes. */
  readonly store: Buffer;
  /** Authenticates pairing, as the pre-shared key of HPKE. 32 bytes. */
  readonly psk: Buffer;
}

/**
 * Stretches CLIENT_ID_SECRET with scrypt and derives the keys. Takes about 130 ms on the thread pool; call it once, at
 * start. protocol.md section 1.
 *
 * @param secret - any text; its UTF-8 bytes are stretched, and its strength is not validated here
 * @returns a frozen object with new buffers, which the caller must not modify
 */
export async function deriveSecretKeys(secret: string): Promise<SecretKeys> {
  const root = await scryptAsync(secret, ROOT_SALT, ROOT_BYTES, SCRYPT_OPTIONS);
  const derive = (label: string): Buffer => hkdfExpand(root, `mte-relay/1 ${label}`);
  return Object.freeze({
    kid: derive('kid').toString('hex', 0, KID_BYTES),
    sender: derive('sender'),
    error: derive('error'),
    store: derive('store'),
    psk: derive('psk'),
  });
}
