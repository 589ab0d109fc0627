import { StreamCode, type Stream } from '@relay/channel';
import { encodeResponseHead, type ResponseHead } from '@relay/protocol';

import type { SealedResponse } from './sealed-response.js';

/** The response on a stream, which its channel seals. protocol.md section 11.3. */
export class StreamResponse implements SealedResponse {
  private hasStarted = false;
  private hasEnded = false;
  private headBytes = 0;
  private bodyBytes = 0;
  /** Bytes of the body that are still to come; undefined if its length is unknown. */
  private remaining: number | undefined;

  constructor(private readonly stream: Stream) {}

  get isStarted(): boolean {
    return this.hasStarted;
  }

  get bytes(): number {
    return this.bodyBytes;
  }

  /** Bytes of head and body that have been handed to the channel so far. */
  get sealedBytes(): number {
    return this.headBytes + this.bodyBytes;
  }

  start(head: ResponseHead, bodyBytes: number | undefined): void {
    const bytes = encodeResponseHead(head);
    this.hasStarted = true;
    this.headBytes = bytes.length;
    this.remaining = bodyBytes;
    this.hasEnded = bodyBytes === 0;
    this.stream.start({ bytes, isLast: this.hasEnded, isUpgrade: false });
  }

  /** The last octets of a body whose length is known carry the end of the stream. */
  write(chunk: Buffer): boolean {
    this.bodyBytes += chunk.length;
    if (this.remaining !== undefined) {
      this.remaining -= chunk.length;
      this.hasEnded = this.remaining === 0;
    }
    if (this.hasEnded) {
      this.stream.end(chunk);
      return true;
    }
    return this.stream.write(chunk);
  }

  end(): void {
    if (!this.hasEnded) {
      this.hasEnded = true;
      this.stream.end();
    }
  }

  reset(): void {
    this.stream.reset(StreamCode.INTERNAL_ERROR);
  }
}
