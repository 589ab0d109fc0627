import { MessageTooLongError } from './protocol.errors.js';

/**
 * Length of `h`, the header of a record. The whole record, of protocol.md section 6, is
 * h (4: bit 31 = last, bits 0–30 = length) || AES-256-GCM(content || type (1) || zero padding) || tag (16).
 */
export const RECORD_HEADER_BYTES = 4;
export const TAG_BYTES = 16;
/** The most content that one record carries: 65,536 bytes, the chunk size of Node.js. protocol.md section 6. */
export const MAX_CONTENT_BYTES = 65_536;
export const MAX_PADDING_BYTES = 4_096;
/** The range of bits 0–30: ciphertext and tag of an empty record, and of a full record with maximum padding. */
export const MIN_SEALED_BYTES = 1 + TAG_BYTES;
export const MAX_SEALED_BYTES = MAX_CONTENT_BYTES + 1 + MAX_PADDING_BYTES + TAG_BYTES;
/** How many records one message key may seal. */
export const MAX_RECORDS = 2 ** 22;

export const RECORD_CIPHER = 'aes-256-gcm';
export const LAST_RECORD_BIT = 0x8000_0000;

export const HEAD_RECORD = 1;
export const DATA_RECORD = 2;

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
