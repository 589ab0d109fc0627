import { createCipheriv } from 'node:crypto';

import { RecordMalformedError } from './protocol.errors.js';
import {
  LAST_RECORD_BIT,
  RECORD_CIPHER,
  RECORD_HEADER_BYTES,
  TAG_BYTES,
  recordNonce,
} from './record.js';
import { deriveNextKey } from './session-keys.js';

/**
 * Seals records in their order. It knows nothing of what they contain: the caller supplies content, type and
 * padding. A rejected call changes nothing. protocol.md section 6.
 */
export class RecordSealer {
  private index = 0;
  private earlierRecords = 0;
  private hasEnded = false;

  /** @param key - 32 bytes, used by no other sealer; not copied */
  constructor(private key: Buffer) {}

  /** How many records were sealed. */
  get count(): number {
    return this.earlierRecords + this.index;
  }

  /** Seals the next records with the key that follows this one. protocol.md section 11.2. */
  renewKey(): void {
    this.key = deriveNextKey(this.key);
    this.earlierRecords = this.count;
    this.index = 0;
  }

  /**
   * Seals the next record.
   *
   * @param plaintext - content, type and padding, in parts; not modified and not kept
   * @param bytes - the length of all parts together; the caller enforces the limits on it
   * @param isLast - whether no record may follow
   * @returns the bytes of the record, in a new buffer that the caller owns
   * @throws RecordMalformedError after the last record
   * @throws MessageTooLongError after 2^22 records with one key
   */
  seal(plaintext: readonly Uint8Array[], bytes: number, isLast: boolean): Buffer {
    if (this.hasEnded) {
      throw new RecordMalformedError('no record may follow the last one');
    }
    const nonce = recordNonce(this.index, isLast);
    // Advanced before anything is sealed: if sealing throws, the nonce is lost instead of used twice.
    this.index += 1;
    this.hasEnded = isLast;

    const length = bytes + TAG_BYTES;
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    header.writeUInt32BE(isLast ? LAST_RECORD_BIT + length : length);
    const cipher = createCipheriv(RECORD_CIPHER, this.key, nonce);
    cipher.setAAD(header);
    const sealed = plaintext.map((part) => cipher.update(part));
    cipher.final();
    return Buffer.concat([header, ...sealed, cipher.getAuthTag()], RECORD_HEADER_BYTES + length);
  }
}
