import { createDecipheriv } from 'node:crypto';

import { MessageTruncatedError, RecordMalformedError, RecordOpenError } from './protocol.errors.js';
import {
  DATA_RECORD,
  HEAD_RECORD,
  LAST_RECORD_BIT,
  MAX_CONTENT_BYTES,
  MAX_PADDING_BYTES,
  MAX_SEALED_BYTES,
  MIN_SEALED_BYTES,
  RECORD_CIPHER,
  RECORD_HEADER_BYTES,
  TAG_BYTES,
  recordNonce,
} from './record.js';

/**
 * One authenticated record. The first record of a message is its head; all others are its body. protocol.md section 6.
 */
export interface OpenedRecord {
  /** Without type and padding: 0 … 65,536 bytes. Owned by the caller; shares no memory with the chunks. */
  readonly content: Buffer;
  /** Whether the message ends with this record. */
  readonly isLast: boolean;
}

/**
 * Opens one message from its bytes, in chunks of any size. It returns only records that are authentic at their place in
 * the message. After an error the opener stays failed. It holds at most one incomplete record. protocol.md section 6.
 */
export class MessageOpener {
  private index = 0;
  private hasEnded = false;
  private failure: Error | undefined;
  /** The bytes received so far of the current record. Reused for later records: no opened record shares its memory. */
  private partial = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  private filled = 0;
  /** How many bytes `partial` must reach: the length of the header, then that of the whole record. */
  private wanted = RECORD_HEADER_BYTES;

  /** @param key - 32 bytes from deriveRequestKey or deriveResponseKey; not copied */
  constructor(private readonly key: Buffer) {}

  /** Whether the last record has been opened, and nothing has failed since. */
  get isComplete(): boolean {
    return this.hasEnded && this.failure === undefined;
  }

  /**
   * Takes the next bytes of the message and opens every record that they complete.
   *
   * If a record is rejected, the records that the same chunk completed before it are not returned. Every further call
   * throws the same error.
   *
   * @param chunk - not modified and not kept
   * @returns the opened records, in order
   * @throws RecordMalformedError if a record's length, type, padding or place is not allowed, or bytes follow the last
   *   record
   * @throws RecordOpenError if a record fails authentication
   * @throws MessageTooLongError after 2^22 records
   */
  push(chunk: Buffer): OpenedRecord[] {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    try {
      return this.openRecords(chunk);
    } catch (error) {
      this.failure = error as Error;
      throw error;
    }
  }

  /**
   * Must be called when the outer body ends: a truncated message is detected only here.
   *
   * @throws MessageTruncatedError if the last record has not been opened, or the error of an earlier call
   */
  finish(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    if (!this.hasEnded) {
      this.failure = new MessageTruncatedError('message ended before its last record');
      throw this.failure;
    }
  }

  private openRecords(chunk: Buffer): OpenedRecord[] {
    const opened: OpenedRecord[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (this.hasEnded) {
        throw new RecordMalformedError('bytes follow the last record');
      }
      if (this.filled === 0 && chunk.length - offset >= RECORD_HEADER_BYTES) {
        const end = offset + recordBytes(chunk.readUInt32BE(offset));
        if (end <= chunk.length) {
          opened.push(this.open(chunk.subarray(offset, end)));
          offset = end;
          continue;
        }
      }
      offset += this.collect(chunk, offset, opened);
    }
    return opened;
  }

  /** Copies bytes that the current record still lacks, and returns how many it took. */
  private collect(chunk: Buffer, offset: number, opened: OpenedRecord[]): number {
    const taken = chunk.copy(
      this.partial,
      this.filled,
      offset,
      Math.min(chunk.length, offset + this.wanted - this.filled),
    );
    this.filled += taken;
    if (this.filled < this.wanted) {
      return taken;
    }
    if (this.wanted === RECORD_HEADER_BYTES) {
      // recordBytes rejects a forbidden length before memory is allocated for it.
      this.wanted = recordBytes(this.partial.readUInt32BE());
      this.makeRoom();
      return taken;
    }
    const record = this.partial.subarray(0, this.wanted);
    this.wanted = RECORD_HEADER_BYTES;
    this.filled = 0;
    opened.push(this.open(record));
    return taken;
  }

  private makeRoom(): void {
    if (this.partial.length < this.wanted) {
      const larger = Buffer.allocUnsafe(this.wanted);
      this.partial.copy(larger);
      this.partial = larger;
    }
  }

  private open(record: Buffer): OpenedRecord {
    const header = record.subarray(0, RECORD_HEADER_BYTES);
    const isLast = (header.readUInt32BE() & LAST_RECORD_BIT) !== 0;
    const isHead = this.index === 0;
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
      throw new RecordOpenError(`record ${this.index - 1} failed authentication`, { cause: error });
    }
    const content = contentOf(plaintext, isHead ? HEAD_RECORD : DATA_RECORD);
    if (content.length === 0 && !isHead && !isLast) {
      throw new RecordMalformedError('an empty data record must be the last');
    }
    this.hasEnded = isLast;
    return { content, isLast };
  }
}

/** The length of a whole record, from its header. */
function recordBytes(header: number): number {
  const sealedBytes = header & (LAST_RECORD_BIT - 1);
  if (sealedBytes < MIN_SEALED_BYTES || sealedBytes > MAX_SEALED_BYTES) {
    throw new RecordMalformedError(
      `record of ${sealedBytes} bytes is outside ${MIN_SEALED_BYTES}–${MAX_SEALED_BYTES}`,
    );
  }
  return RECORD_HEADER_BYTES + sealedBytes;
}

/** Strips padding and type. The bytes are authentic by now, so a failure is the peer's fault and no padding oracle. */
function contentOf(plaintext: Buffer, expectedType: number): Buffer {
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
  if (typeAt > MAX_CONTENT_BYTES) {
    throw new RecordMalformedError(`record content exceeds ${MAX_CONTENT_BYTES} bytes`);
  }
  return plaintext.subarray(0, typeAt);
}
