import { createHmac } from 'node:crypto';

/** The counter that ends the input of the first block. */
const FIRST_BLOCK = '\x01';

/**
 * HKDF-Expand with SHA-256 for 32 bytes: RFC 5869 section 2.3 with one block, so it is one HMAC. node:crypto has only
 * the whole HKDF.
 *
 * @param key - a pseudorandom key of at least 32 bytes
 * @param info - octets, as latin1
 * @returns 32 new bytes
 */
export function hkdfExpand(key: Uint8Array, info: string): Buffer {
  return createHmac('sha256', key).update(`${info}${FIRST_BLOCK}`, 'latin1').digest();
}
