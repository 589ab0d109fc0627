import { RecordMalformedError } from './protocol.errors.js';
import { RecordSealer } from './record-sealer.js';
import { DATA_RECORD, HEAD_RECORD, MAX_CONTENT_BYTES } from './record.js';

/** Head records are padded to a multiple of this, which blurs the sizes of paths and fields. protocol.md section 6. */
const HEAD_BLOCK_BYTES = 256;

const DATA_TRAILER = Buffer.of(DATA_RECORD);

/**
 * Seals one message: first its head, then its body, record by record. A sealer serves exactly one message key. A
 * rejected call changes nothing, so the caller may go on. protocol.md section 6.
 */
export class MessageSealer {
  private readonly records: RecordSealer;

  /** @param key - 32 bytes from deriveRequestKey or deriveResponseKey, used by no other sealer; not copied */
  constructor(key: Buffer) {
    this.records = new RecordSealer(key);
  }

  /**
   * Seals the head, padded to a multiple of 256 bytes.
   *
   * @param head - from encodeRequestHead or encodeResponseHead; not modified and not kept
   * @param isLast - whether the message has no body
   * @returns the bytes of the record, in a new buffer that the caller owns
   * @throws RecordMalformedError if a head was sealed before, or the head exceeds 65,536 bytes
   */
  sealHead(head: Uint8Array, isLast: boolean): Buffer {
    if (this.records.count !== 0) {
      throw new RecordMalformedError('the head must be the first record, and occurs once');
    }
    checkContent(head);
    const blocks = Math.ceil((head.length + 1) / HEAD_BLOCK_BYTES);
    const padded = Buffer.allocUnsafe(blocks * HEAD_BLOCK_BYTES).fill(0, head.length);
    padded.set(head);
    padded[head.length] = HEAD_RECORD;
    return this.records.seal([padded], padded.length, isLast);
  }

  /**
   * Seals one chunk of the body, unpadded.
   *
   * @param content - at most 65,536 bytes, empty only together with isLast; not modified and not kept
   * @param isLast - whether the message ends with this record
   * @returns the bytes of the record, in a new buffer that the caller owns
   * @throws RecordMalformedError before the head, after the last record, or if the content is too long or empty
   * @throws MessageTooLongError after 2^22 records
   */
  sealData(content: Uint8Array, isLast: boolean): Buffer {
    if (this.records.count === 0) {
      throw new RecordMalformedError('the head must be sealed before the body');
    }
    if (content.length === 0 && !isLast) {
      throw new RecordMalformedError('an empty data record must be the last');
    }
    checkContent(content);
    return this.records.seal([content, DATA_TRAILER], content.length + DATA_TRAILER.length, isLast);
  }
}

function checkContent({ length }: Uint8Array): void {
  if (length > MAX_CONTENT_BYTES) {
    throw new RecordMalformedError(
      `record content of ${length} bytes exceeds the limit of ${MAX_CONTENT_BYTES}`,
    );
  }
}
