import type { RecordSealer } from '@relay/protocol';

import {
  DATA_RECORD,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_CONTENT_BYTES,
  PING_BYTES,
} from './frame.js';

/** A record with a head is padded to a multiple of this. protocol.md section 11.2. */
const HEAD_BLOCK_BYTES = 256;

/** Records are sealed one at a time, at once and completely, so that all channels of the process can share this memory. */
const scratch = Buffer.alloc(MAX_CONTENT_BYTES + HEAD_BLOCK_BYTES);

/** Collects the frames of one record. Frames are appended whole; the caller asks for `room` first. protocol.md section 11.3. */
export class RecordContent {
  private used = 0;
  private hasHead = false;

  /** Whether no frame was appended. */
  get isEmpty(): boolean {
    return this.used === 0;
  }

  /** How many bytes of payload one more frame may carry; negative if not even an empty frame fits. */
  get room(): number {
    return MAX_CONTENT_BYTES - this.used - FRAME_HEADER_BYTES;
  }

  /** Appends DATA or HEADERS. @param payload - at most `room` bytes; copied */
  append(type: 0 | 1, flags: number, stream: number, payload: Uint8Array): void {
    this.appendHeader(payload.length, type, flags, stream);
    scratch.set(payload, this.used);
    this.used += payload.length;
    this.hasHead ||= type === FrameType.HEADERS;
  }

  /** Appends PING. @param octets - 8 bytes */
  appendPing(flags: number, octets: Uint8Array): void {
    this.appendHeader(PING_BYTES, FrameType.PING, flags, 0);
    scratch.set(octets, this.used);
    this.used += PING_BYTES;
  }

  /** Appends RST_STREAM, GOAWAY or WINDOW_UPDATE. @param values - the payload, as 32-bit numbers */
  appendNumbers(type: 3 | 7 | 8, stream: number, ...values: readonly number[]): void {
    this.appendHeader(4 * values.length, type, 0, stream);
    for (const value of values) {
      this.used = scratch.writeUInt32BE(value, this.used);
    }
  }

  /** Seals what was appended into one record. @throws MessageTooLongError after 2^22 records */
  seal(sealer: RecordSealer): Buffer {
    scratch[this.used] = DATA_RECORD;
    let end = this.used + 1;
    if (this.hasHead) {
      end = Math.ceil(end / HEAD_BLOCK_BYTES) * HEAD_BLOCK_BYTES;
      scratch.fill(0, this.used + 1, end);
    }
    return sealer.seal([scratch.subarray(0, end)], end, false);
  }

  private appendHeader(bytes: number, type: number, flags: number, stream: number): void {
    scratch.writeUIntBE(bytes, this.used, 3);
    scratch[this.used + 3] = type;
    scratch[this.used + 4] = flags;
    scratch.writeUInt32BE(stream, this.used + 5);
    this.used += FRAME_HEADER_BYTES;
  }
}
