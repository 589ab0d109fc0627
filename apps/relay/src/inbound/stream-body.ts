import { Deferred, IdleTimer, BodyIdleError } from '@relay/http';
import type { Stream } from '@relay/channel';

import type { RequestSource } from './opened-request.js';

/** With so much that the reader has not taken, nothing more is asked for. */
const HIGH_WATER_BYTES = 65_536;
/** What one piece takes besides its octets: a peer may send each octet in a piece of its own. */
const PIECE_BYTES = 512;

/** The body of a request that a stream carries, for one reader, with back-pressure. */
export class StreamBody implements RequestSource {
  private chunks: Buffer[] = [];
  private queuedBytes = 0;
  private receivedBytes = 0;
  private isComplete = false;
  private isPaused = false;
  private failure: Error | undefined;
  private arrival: Deferred<void> | undefined;
  private readonly idle: IdleTimer;

  /** @param idleTimeoutMs - the longest silence while the reader is waiting; 0: no limit */
  constructor(
    private readonly stream: Stream,
    idleTimeoutMs: number,
  ) {
    this.idle = new IdleTimer(idleTimeoutMs, () => {
      this.cancel(new BodyIdleError(`no byte of the body arrived for ${idleTimeoutMs} ms`));
    });
  }

  /** Bytes that have arrived so far. */
  get bytes(): number {
    return this.receivedBytes;
  }

  /** Whether the peer has sent the end. */
  get hasEnded(): boolean {
    return this.isComplete;
  }

  /** Octets have arrived. @returns false if no more should be released until the stream is resumed */
  push(octets: Buffer): boolean {
    if (this.failure !== undefined) {
      return true;
    }
    this.receivedBytes += octets.length;
    this.queuedBytes += octets.length + PIECE_BYTES;
    this.chunks.push(octets);
    this.isPaused = this.queuedBytes >= HIGH_WATER_BYTES;
    this.arrive();
    return !this.isPaused;
  }

  /** The end has arrived. */
  end(): void {
    this.isComplete = true;
    this.arrive();
  }

  /** The reader receives this instead of what it has not taken. */
  cancel(reason: Error): void {
    this.failure ??= reason;
    this.chunks = [];
    this.arrive();
  }

  /** The whole body, if all of it has arrived and none has been taken, otherwise undefined. */
  takeWhole(): Buffer | undefined {
    if (!this.isComplete || this.failure !== undefined) {
      return undefined;
    }
    const [first, ...others] = this.take();
    return first === undefined || others.length > 0
      ? Buffer.concat(first === undefined ? [] : [first, ...others])
      : first;
  }

  /** Yields what arrives, until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.failure !== undefined) {
        throw this.failure;
      }
      const chunks = this.take();
      if (chunks.length > 0) {
        yield* chunks;
        this.resume();
      } else if (this.isComplete) {
        return;
      } else {
        await this.nextArrival();
      }
    }
  }

  private take(): Buffer[] {
    const { chunks } = this;
    this.chunks = [];
    this.queuedBytes = 0;
    return chunks;
  }

  private resume(): void {
    if (this.isPaused) {
      this.isPaused = false;
      this.stream.resume();
    }
  }

  private nextArrival(): Promise<void> {
    this.arrival = new Deferred<void>();
    this.idle.touch();
    return this.arrival.promise;
  }

  private arrive(): void {
    this.idle.stop();
    this.arrival?.resolve();
  }
}
