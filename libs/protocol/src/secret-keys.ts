import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';

import { hkdfExpand } from './hkdf-expand.js';

const ROOT_SALT = 'mte-relay/1 root';
const ROOT_BYTES = 32;
/** About 130 ms and 32 MiB: what one guess at a weak secret costs. protocol.md section 1. */
const SCRYPT_OPTIONS = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const KID_BYTES = 4;

const scryptAsync = promisify<string, string, number, typeof SCRYPT_OPTIONS, Buffer>(scrypt);

/** The keys that both relays of a tunnel derive from CLIENT_ID_SECRET. protocol.md section 1. */
export interface SecretKeys {
  /** Names the secret: 8 lower-case hex digits. Public. */
  readonly kid: string;
  /** Signs `x-mte-client-id`. 32 bytes. */
  readonly sender: Buffer;
  /** Signs error answers. 32 bytes. */
  readonly error: Buffer;
  /** Seals sessions at rest. 32 bytes. */
  readonly store: Buffer;
  /** Authenticates the key exchange. 32 bytes. */
  readonly psk: Buffer;
}

/** Stretches CLIENT_ID_SECRET and derives the keys. Takes about 130 ms off the main thread; call it once, at start. */
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
