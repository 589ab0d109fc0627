import { MessageTooLongError } from './protocol.errors.js';

/**
 * The record of protocol.md section 6:
 * h (4: bit 31 = last, bits 0–30 = length) || AES-256-GCM(content || type (1) || zero padding) || tag (16).
 */
export const RECORD_HEADER_BYTES = 4;
export const TAG_BYTES = 16;
export const MAX_CONTENT_BYTES = 65_536;
export const MAX_PADDING_BYTES = 4_096;
/** What bits 0–30 may say: ciphertext and tag of an empty record, and of a full one with all padding. */
export const MIN_SEALED_BYTES = 1 + TAG_BYTES;
export const MAX_SEALED_BYTES = MAX_CONTENT_BYTES + 1 + MAX_PADDING_BYTES + TAG_BYTES;
/** Records that one message key may seal. */
export const MAX_RECORDS = 2 ** 22;

export const RECORD_CIPHER = 'aes-256-gcm';
export const LAST_RECORD_BIT = 0x8000_0000;

export const HEAD_RECORD = 1;
export const DATA_RECORD = 2;

/**
 * The STREAM nonce: 0^7 || u32 index || u8 last. The flag in the nonce is what makes a cut message detectable, and the
 * counter what makes reordering detectable; neither may ever repeat under one key.
 *
 * @throws MessageTooLongError at index 2^22
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
