import { MessageTooLongError } from './protocol.errors.js';

/**
 * Length of `h`, the header of a record. The whole record, of protocol.md section 6, is
 * h (4: bit 31 = last, bits 0–30 = length) || AES-256-GCM(content || type (1) || zero padding) || tag (16).
 */
export const RECORD_HEADER_BYTES = 4;
/** Length of the GCM tag at the end of a record. */
export const TAG_BYTES = 16;
/** The most content that one record carries: 65,536 bytes, the chunk size of Node.js. protocol.md section 6. */
export const MAX_CONTENT_BYTES = 65_536;
/** The most zero bytes behind the type of a record. */
export const MAX_PADDING_BYTES = 4_096;
/** The least that bits 0–30 may say: ciphertext and tag of an empty record. */
export const MIN_SEALED_BYTES = 1 + TAG_BYTES;
/** How many records one message key may seal. */
export const MAX_RECORDS = 2 ** 22;

/** The cipher of every record, by its name in OpenSSL. */
export const RECORD_CIPHER = 'aes-256-gcm';
/** Bit 31 of a record's header. */
export const LAST_RECORD_BIT = 0x8000_0000;

/** The type of the first record of a message, and of no other. */
export const HEAD_RECORD = 1;
/** The type of every later record. */
export const DATA_RECORD = 2;

/** The most that bits 0–30 may say: ciphertext and tag of a record that is full and has the most padding. */
export function maxSealedBytes(maxContentBytes: number): number {
  return maxContentBytes + 1 + MAX_PADDING_BYTES + TAG_BYTES;
}

/**
 * The STREAM nonce: 0^7 || u32 index || u8 last. The flag makes a truncated message detectable, the index makes
 * reordered records detectable. No nonce may ever repeat under one key. protocol.md section 6.
 *
 * @throws MessageTooLongError if the index is 2^22 or more
 */
export function recordNonce(index: number, isLast: boolean): Buffer {
  if (index >= MAX_RECORDS) {
    throw new MessageTooLongError(`message exceeds the limit of ${MAX_RECORDS} records`);
  }
  const nonce = Buffer.allocUnsafe(12).fill(0);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
