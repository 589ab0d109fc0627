import { RecordOpener, type OpenedRecord } from '@relay/protocol';

import { ChannelBrokenError } from './channel.errors.js';
import { MAX_CONTENT_BYTES, RECORDS_PER_KEY } from './frame.js';

/** The largest message of a channel: one record of full length with the most padding. protocol.md section 11.2. */
export const MAX_MESSAGE_BYTES = 69_662;

const RECORD_HEADER_BYTES = 4;

/** The records of the peer, one in each message. protocol.md section 11.2. */
export class IncomingRecords {
  private readonly opener: RecordOpener;

  /** @param key - 32 bytes; not copied */
  constructor(key: Buffer) {
    this.opener = new RecordOpener(key, MAX_CONTENT_BYTES);
  }

  /** How many records were opened. */
  get count(): number {
    return this.opener.count;
  }

  /** Whether the peer has ended its direction. */
  get isComplete(): boolean {
    return this.opener.isComplete;
  }

  /**
   * Opens the next record.
   *
   * @throws ChannelBrokenError if the message is not exactly one record, or follows the last one
   * @throws RecordMalformedError, RecordOpenError, MessageTooLongError as RecordOpener does
   */
  open(message: Buffer): OpenedRecord {
    if (this.opener.isComplete) {
      throw new ChannelBrokenError('a record follows the last one');
    }
    const isWhole =
      message.length >= RECORD_HEADER_BYTES &&
      this.opener.recordBytes(message.readUInt32BE()) === message.length;
    if (!isWhole) {
      throw new ChannelBrokenError('a message is not exactly one record');
    }
    if (this.count > 0 && this.count % RECORDS_PER_KEY === 0) {
      this.opener.renewKey();
    }
    return this.opener.open(message);
  }
}
