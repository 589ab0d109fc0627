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
    checkContent(head);
    const blocks = Math.ceil((head.length + 1) / HEAD_BLOCK_BYTES);
    const padded = Buffer.allocUnsafe(blocks * HEAD_BLOCK_BYTES).fill(0, head.length);
    padded.set(head);
    padded[head.length] = HEAD_RECORD;
    return this.seal([padded], padded.length, isLast);
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
    checkContent(content);
    return this.seal([content, DATA_TRAILER], content.length + DATA_TRAILER.length, isLast);
  }

  private seal(plaintext: readonly Uint8Array[], bytes: number, isLast: boolean): Buffer {
    if (this.hasEnded) {
      throw new RecordMalformedError('nothing follows the last record');
    }
    const nonce = recordNonce(this.index, isLast);
    // Counted before anything is sealed: a nonce that an exception leaves behind is lost, never used twice.
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

function checkContent({ length }: Uint8Array): void {
  if (length > MAX_CONTENT_BYTES) {
    throw new RecordMalformedError(
      `record content of ${length} bytes exceeds the limit of ${MAX_CONTENT_BYTES}`,
    );
  }
}
