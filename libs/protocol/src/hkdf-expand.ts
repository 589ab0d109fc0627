import { createHmac } from 'node:crypto';

/** The block counter, which ends the HMAC input of the first block. */
const FIRST_BLOCK = '\x01';

/**
 * HKDF-Expand with SHA-256 for 32 bytes. That is one block of RFC 5869 section 2.3, hence a single HMAC; node:crypto
 * offers only extract and expand together.
 *
 * @param key - a pseudorandom key of at least 32 bytes
 * @param info - octets, as latin1
 * @returns a new buffer of 32 bytes, which the caller owns
 */
export function hkdfExpand(key: Uint8Array, info: string): Buffer {
  return createHmac('sha256', key).update(`${info}${FIRST_BLOCK}`, 'latin1').digest();
}
