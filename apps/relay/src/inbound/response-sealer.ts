import type { ServerResponse } from 'node:http';

import { ResponseSink } from '@relay/http';
import {
  MAX_CONTENT_BYTES,
  MessageSealer,
  RELAY_HEADER,
  encodeResponseHead,
  type ResponseHead,
} from '@relay/protocol';

const OK = 200;

/**
 * Seals one response as it comes and writes it to the other relay. The head waits for one turn of the event loop, so
 * that an answer which is whole by then leaves in one write with its length.
 */
export class SealedResponse {
  private readonly sealer: MessageSealer;
  private readonly sink: ResponseSink;
  private pending: Buffer[] | undefined;
  private flushTimer: NodeJS.Immediate | undefined;
  /** What the head promised, less what was sealed; undefined where no length was promised. */
  private remaining: number | undefined;
  private hasEnded = false;
  private sealedContent = 0;

  /**
   * @param relayHeader - of the answer, which the key was derived from
   * @param onDrain - writing may go on
   */
  constructor(
    key: Buffer,
    private readonly relayHeader: string,
    response: ServerResponse,
    stallTimeoutMs: number,
    onDrain: () => void,
  ) {
    this.sealer = new MessageSealer(key);
    this.sink = new ResponseSink(response, stallTimeoutMs, onDrain);
  }

  /** Whether a head was sealed, so that no error can be stated any more. */
  get isStarted(): boolean {
    return this.pending !== undefined || this.sink.isStarted;
  }

  /** Of the body, as it was sealed so far. */
  get bytes(): number {
    return this.sealedContent;
  }

  /** Of the message, as it was written so far. */
  get sealedBytes(): number {
    return this.sink.bytes;
  }

  /**
   * @param head - checked with checkResponseHead
   * @param bodyBytes - length of the body if it is known; 0 where there is none
   * @throws HeadInvalidError where the head is too large
   */
  start(head: ResponseHead, bodyBytes: number | undefined): void {
    this.remaining = bodyBytes;
    this.hasEnded = bodyBytes === 0;
    this.pending = [this.sealer.sealHead(encodeResponseHead(head), this.hasEnded)];
    this.flushTimer = setImmediate(() => {
      this.flush();
    });
  }

  /** @returns false where the other relay should be waited for */
  write(chunk: Buffer): boolean {
    let isReady = true;
    this.sealedContent += chunk.length;
    for (let at = 0; at < chunk.length; at += MAX_CONTENT_BYTES) {
      const content = chunk.subarray(at, at + MAX_CONTENT_BYTES);
      if (this.remaining !== undefined) {
        this.remaining -= content.length;
        this.hasEnded = this.remaining === 0;
      }
      const record = this.sealer.sealData(content, this.hasEnded);
      if (this.pending === undefined) {
        isReady = this.sink.write(record);
      } else {
        this.pending.push(record);
      }
    }
    return isReady;
  }

  end(): void {
    clearImmediate(this.flushTimer);
    const rest = this.hasEnded ? [] : [this.sealer.sealData(Buffer.alloc(0), true)];
    if (this.pending === undefined) {
      this.sink.end(rest[0]);
      return;
    }
    const whole = Buffer.concat([...this.pending, ...rest]);
    this.pending = undefined;
    this.sink.start(OK, [...this.fields(), 'content-length', String(whole.length)]);
    this.sink.end(whole);
  }

  /** Gives up: the other relay sees a message without its last record on a connection that was reset. */
  reset(): void {
    clearImmediate(this.flushTimer);
    this.sink.reset();
  }

  private fields(): string[] {
    const type = 'application/octet-stream';
    return [RELAY_HEADER, this.relayHeader, 'content-type', type, 'cache-control', 'no-store'];
  }

  private flush(): void {
    const { pending } = this;
    if (pending !== undefined) {
      this.pending = undefined;
      this.sink.start(OK, this.fields());
      this.sink.write(Buffer.concat(pending));
    }
  }
}
