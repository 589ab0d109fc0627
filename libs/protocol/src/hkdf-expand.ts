import { createHmac } from 'node:crypto';

const FIRST_BLOCK = Buffer.of(1);

/**
 * HKDF-Expand with SHA-256 for 32 bytes: RFC 5869 section 2.3 with one block, so it is one HMAC. node:crypto has only
 * the whole HKDF.
 *
 * @param key - a pseudorandom key of at least 32 bytes
 * @returns 32 new bytes
 */
export function hkdfExpand(key: Uint8Array, ...info: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of info) {
    hmac.update(part);
  }
  return hmac.update(FIRST_BLOCK).digest();
}
