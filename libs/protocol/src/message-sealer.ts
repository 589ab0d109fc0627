import { createCipheriv } from 'node:crypto';

import { RecordMalformedError } from './protocol.errors.js';
import {
  DATA_RECORD,
  HEAD_RECORD,
  LAST_RECORD_BIT,
  MAX_CONTENT_BYTES,
  RECORD_CIPHER,
  RECORD_HEADER_BYTES,
  TAG_BYTES,
  recordNonce,
} from './record.js';

/** Head records are padded to a multiple of this, to blur the sizes of paths and headers. protocol.md section 6. */
const HEAD_BLOCK_BYTES = 256;

const DATA_TRAILER = Buffer.of(DATA_RECORD);

/** Seals one message: its head first, then its body in pieces. Serves exactly one message key. protocol.md section 6. */
export class MessageSealer {
  private index = 0;
  private hasEnded = false;

  /** @param key - 32 bytes from deriveRequestKey or deriveResponseKey, used by no other sealer */
  constructor(private readonly key: Buffer) {}

  /**
   * @param isLast - the message has no body
   * @returns the record's wire bytes
   * @throws RecordMalformedError where a head was sealed before or is larger than 65,536 bytes
   */
  sealHead(head: Uint8Array, isLast: boolean): Buffer {
    if (this.index !== 0) {
      throw new RecordMalformedError('a message has one head, in its first record');
    }
    const unpadded = head.length + 1;
    const padding = (HEAD_BLOCK_BYTES - (unpadded % HEAD_BLOCK_BYTES)) % HEAD_BLOCK_BYTES;
    const trailer = Buffer.alloc(1 + padding);
    trailer[0] = HEAD_RECORD;
    return this.seal(head, trailer, isLast);
  }

  /**
   * @param content - at most 65,536 bytes; empty only together with isLast
   * @returns the record's wire bytes
   * @throws RecordMalformedError before the head, after the last record, or for an empty or oversized content
   * @throws MessageTooLongError after 2^22 records
   */
  sealData(content: Uint8Array, isLast: boolean): Buffer {
    if (this.index === 0) {
      throw new RecordMalformedError('the head comes before the body');
    }
    if (content.length === 0 && !isLast) {
      throw new RecordMalformedError('an empty data record must be the last');
    }
    return this.seal(content, DATA_TRAILER, isLast);
  }

  private seal(content: Uint8Array, trailer: Uint8Array, isLast: boolean): Buffer {
    if (this.hasEnded) {
      throw new RecordMalformedError('nothing follows the last record');
    }
    if (content.length > MAX_CONTENT_BYTES) {
      throw new RecordMalformedError(
        `record content of ${content.length} bytes exceeds the limit of ${MAX_CONTENT_BYTES}`,
      );
    }
    const nonce = recordNonce(this.index, isLast);
    // Counted before anything is sealed: a nonce that an exception leaves behind is lost, never used twice.
    this.index += 1;
    this.hasEnded = isLast;

    const length = content.length + trailer.length + TAG_BYTES;
    const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
    header.writeUInt32BE(isLast ? LAST_RECORD_BIT + length : length);
    const cipher = createCipheriv(RECORD_CIPHER, this.key, nonce);
    cipher.setAAD(header);
    const sealedContent = cipher.update(content);
    const sealedTrailer = cipher.update(trailer);
    cipher.final();
    return Buffer.concat(
      [header, sealedContent, sealedTrailer, cipher.getAuthTag()],
      RECORD_HEADER_BYTES + length,
    );
  }
}
