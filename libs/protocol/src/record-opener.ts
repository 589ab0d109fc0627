import { createDecipheriv } from 'node:crypto';

import { RecordMalformedError, RecordOpenError } from './protocol.errors.js';
import {
  DATA_RECORD,
  HEAD_RECORD,
  LAST_RECORD_BIT,
  MAX_PADDING_BYTES,
  MIN_SEALED_BYTES,
  RECORD_CIPHER,
  RECORD_HEADER_BYTES,
  TAG_BYTES,
  maxSealedBytes,
  recordNonce,
} from './record.js';
import { deriveNextKey } from './session-keys.js';

/**
 * One authenticated record. The first record of a message is its head; all others are its body. protocol.md section 6.
 */
export interface OpenedRecord {
  /** Without type and padding. Owned by the caller; shares no memory with what was received. */
  readonly content: Buffer;
  /** Whether nothing may follow this record. */
  readonly isLast: boolean;
}

/**
 * Opens records in their order, each of which must be authentic at its place. After an error it must not be used
 * again. protocol.md section 6.
 */
export class RecordOpener {
  private index = 0;
  private earlierRecords = 0;
  private hasEnded = false;

  /**
   * @param key - 32 bytes; not copied
   * @param maxContentBytes - the most content that a record may carry
   */
  constructor(
    private key: Buffer,
    private readonly maxContentBytes: number,
  ) {}

  /** How many records were opened. */
  get count(): number {
    return this.earlierRecords + this.index;
  }

  /** Opens the next records with the key that follows this one. protocol.md section 11.2. */
  renewKey(): void {
    this.key = deriveNextKey(this.key);
    this.earlierRecords = this.count;
    this.index = 0;
  }

  /** Whether the last record has been opened. */
  get isComplete(): boolean {
    return this.hasEnded;
  }

  /**
   * The length of a whole record, from the header at its beginning.
   *
   * @throws RecordMalformedError if no record may have this length
   */
  recordBytes(header: number): number {
    const sealedBytes = header & (LAST_RECORD_BIT - 1);
    const most = maxSealedBytes(this.maxContentBytes);
    if (sealedBytes < MIN_SEALED_BYTES || sealedBytes > most) {
      throw new RecordMalformedError(
        `record of ${sealedBytes} bytes is outside ${MIN_SEALED_BYTES}–${most}`,
      );
    }
    return RECORD_HEADER_BYTES + sealedBytes;
  }

  /**
   * Opens the next record.
   *
   * @param record - exactly one record, of the length that `recordBytes` found; not modified and not kept
   * @throws RecordOpenError if it fails authentication
   * @throws RecordMalformedError if its type, padding or content is not allowed at its place
   * @throws MessageTooLongError after 2^22 records with one key
   */
  open(record: Buffer): OpenedRecord {
    const header = record.subarray(0, RECORD_HEADER_BYTES);
    const isLast = (header.readUInt32BE() & LAST_RECORD_BIT) !== 0;
    const isFirst = this.count === 0;
    const nonce = recordNonce(this.index, isLast);
    this.index += 1;

    const sealed = record.subarray(RECORD_HEADER_BYTES, record.length - TAG_BYTES);
    const decipher = createDecipheriv(RECORD_CIPHER, this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(header);
    decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
    const plaintext = decipher.update(sealed);
    try {
      decipher.final();
    } catch (error) {
      throw new RecordOpenError(`record ${this.count - 1} failed authentication`, { cause: error });
    }
    const content = this.contentOf(plaintext, isFirst ? HEAD_RECORD : DATA_RECORD);
    if (content.length === 0 && !isFirst && !isLast) {
      throw new RecordMalformedError('an empty data record must be the last');
    }
    this.hasEnded = isLast;
    return { content, isLast };
  }

  /** Strips padding and type. The bytes are authentic by now, so a failure is the peer's fault and no padding oracle. */
  private contentOf(plaintext: Buffer, expectedType: number): Buffer {
    let typeAt = plaintext.length - 1;
    while (typeAt >= 0 && plaintext[typeAt] === 0) {
      typeAt -= 1;
    }
    if (plaintext[typeAt] !== expectedType) {
      throw new RecordMalformedError(`record is not of type ${expectedType}`);
    }
    if (plaintext.length - 1 - typeAt > MAX_PADDING_BYTES) {
      throw new RecordMalformedError(`record padding exceeds ${MAX_PADDING_BYTES} bytes`);
    }
    if (typeAt > this.maxContentBytes) {
      throw new RecordMalformedError(`record content exceeds ${this.maxContentBytes} bytes`);
    }
    return plaintext.subarray(0, typeAt);
  }
}
