import { MessageTruncatedError, RecordMalformedError } from './protocol.errors.js';
import { RecordOpener, type OpenedRecord } from './record-opener.js';
import { MAX_CONTENT_BYTES, RECORD_HEADER_BYTES } from './record.js';

/**
 * Opens one message from its bytes, in chunks of any size. It returns only records that are authentic at their place in
 * the message. After an error the opener stays failed. It holds at most one incomplete record. protocol.md section 6.
 */
export class MessageOpener {
  private readonly records: RecordOpener;
  private failure: Error | undefined;
  /** The bytes received so far of the current record. Reused for later records: no opened record shares its memory. */
  private partial = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  private filled = 0;
  /** How many bytes `partial` must reach: the length of the header, then that of the whole record. */
  private wanted = RECORD_HEADER_BYTES;

  /** @param key - 32 bytes from deriveRequestKey or deriveResponseKey; not copied */
  constructor(key: Buffer) {
    this.records = new RecordOpener(key, MAX_CONTENT_BYTES);
  }

  /** Whether the last record has been opened, and nothing has failed since. */
  get isComplete(): boolean {
    return this.records.isComplete && this.failure === undefined;
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
    if (!this.records.isComplete) {
      this.failure = new MessageTruncatedError('message ended before its last record');
      throw this.failure;
    }
  }

  private openRecords(chunk: Buffer): OpenedRecord[] {
    const opened: OpenedRecord[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (this.records.isComplete) {
        throw new RecordMalformedError('bytes follow the last record');
      }
      if (this.filled === 0 && chunk.length - offset >= RECORD_HEADER_BYTES) {
        const end = offset + this.records.recordBytes(chunk.readUInt32BE(offset));
        if (end <= chunk.length) {
          opened.push(this.records.open(chunk.subarray(offset, end)));
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
      this.wanted = this.records.recordBytes(this.partial.readUInt32BE());
      this.makeRoom();
      return taken;
    }
    const record = this.partial.subarray(0, this.wanted);
    this.wanted = RECORD_HEADER_BYTES;
    this.filled = 0;
    opened.push(this.records.open(record));
    return taken;
  }

  private makeRoom(): void {
    if (this.partial.length < this.wanted) {
      const larger = Buffer.allocUnsafe(this.wanted);
      this.partial.copy(larger);
      this.partial = larger;
    }
  }
}
