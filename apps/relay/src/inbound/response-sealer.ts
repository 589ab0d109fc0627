import type { ServerResponse } from 'node:http';

import { ResponseWriter } from '@relay/http';
import {
  MAX_CONTENT_BYTES,
  MessageSealer,
  OUTER_RESPONSE_FIELDS,
  RELAY_HEADER,
  encodeResponseHead,
  type ResponseHead,
} from '@relay/protocol';

import type { SealedResponse } from './sealed-response.js';

const OK = 200;
const FIELDS = Object.entries(OUTER_RESPONSE_FIELDS).flat();

/**
 * Seals one response as it arrives, and writes it to the other relay. The head waits for one turn of the event loop, so that a
 * response which is complete by then leaves in one write, with its length.
 */
export class ResponseSealer implements SealedResponse {
  private readonly sealer: MessageSealer;
  private readonly writer: ResponseWriter;
  private pending: Buffer[] | undefined;
  private flushTimer: NodeJS.Immediate | undefined;
  /** Bytes of the body that are still to be sealed; undefined if its length is unknown. */
  private remaining: number | undefined;
  private hasEnded = false;
  private sealedContent = 0;

  /**
   * @param key - from deriveResponseKey, used by no other sealer
   * @param relayHeader - `x-mte-relay` of the response, from which the key was derived
   * @param stallTimeoutMs - the longest time that the other relay may leave written bytes unread; 0: no limit
   * @param onDrain - called when writing may continue
   */
  constructor(
    key: Buffer,
    private readonly relayHeader: string,
    response: ServerResponse,
    stallTimeoutMs: number,
    onDrain: () => void,
  ) {
    this.sealer = new MessageSealer(key);
    this.writer = new ResponseWriter(response, stallTimeoutMs, onDrain);
  }

  get isStarted(): boolean {
    return this.pending !== undefined || this.writer.isStarted;
  }

  get bytes(): number {
    return this.sealedContent;
  }

  /** Bytes of the message that have been written so far. */
  get sealedBytes(): number {
    return this.writer.bytes;
  }

  start(head: ResponseHead, bodyBytes: number | undefined): void {
    this.remaining = bodyBytes;
    this.hasEnded = bodyBytes === 0;
    this.pending = [this.sealer.sealHead(encodeResponseHead(head), this.hasEnded)];
    this.flushTimer = setImmediate(() => {
      this.flush();
    });
  }

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
        isReady = this.writer.write(record);
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
      this.writer.end(rest[0]);
      return;
    }
    const whole = Buffer.concat([...this.pending, ...rest]);
    this.pending = undefined;
    this.writer.start(OK, [...this.fields(), 'content-length', String(whole.length)]);
    this.writer.end(whole);
  }

  /** The other relay sees a message without its last record, on a connection that is reset. */
  reset(): void {
    clearImmediate(this.flushTimer);
    this.writer.reset();
  }

  private fields(): string[] {
    return [RELAY_HEADER, this.relayHeader, ...FIELDS];
  }

  private flush(): void {
    const { pending } = this;
    if (pending !== undefined) {
      this.pending = undefined;
      this.writer.start(OK, this.fields());
      this.writer.write(Buffer.concat(pending));
    }
  }
}
