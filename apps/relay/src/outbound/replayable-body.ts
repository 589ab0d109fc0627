import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { BodyReader } from '@relay/http';

const REPLAY_BUFFER_BYTES = 1024 * 1024;

/**
 * A client's body that several attempts may send. What has been read is kept for a further attempt, until it exceeds the replay
 * buffer. Reading continues where the previous attempts have stopped. protocol.md section 8.
 */
export class ReplayableBody {
  private readonly reader: BodyReader;
  /** Chunks from `dropped` on. */
  private kept: Buffer[] = [];
  private dropped = 0;
  private readBytes = 0;
  private reading: Promise<boolean> | undefined;
  /** Number of the attempt that is sending the body. Earlier ones have been given up. */
  private attempt = 0;
  /** How many chunks that attempt has taken. */
  private taken = 0;

  constructor(request: IncomingMessage, idleTimeoutMs: number) {
    this.reader = new BodyReader(request, idleTimeoutMs);
  }

  /** Bytes that have been read so far. */
  get bytes(): number {
    return this.readBytes;
  }

  /** Whether an attempt has begun to take it in chunks, so that a further one has to do so as well. */
  get isBegun(): boolean {
    return this.attempt > 0;
  }

  /** Whether an attempt can still begin with the first byte. */
  get isReplayable(): boolean {
    return this.readBytes <= REPLAY_BUFFER_BYTES;
  }

  /**
   * Reads what has arrived, and waits for no more than one turn of the event loop. Call it only while not `isBegun`: a chunk that an
   * earlier attempt is about to receive would be missing.
   *
   * @returns the whole body, or undefined if it has not all arrived or exceeds the replay buffer
   */
  async wholeAtHand(): Promise<Buffer | undefined> {
    this.takeNow();
    if (!this.reader.isAtEnd) {
      await nextTurn();
      this.takeNow();
    }
    const isWhole = this.reader.isAtEnd && this.isReplayable;
    return isWhole ? Buffer.concat(this.kept, this.readBytes) : undefined;
  }

  /**
   * The body from its first byte, for a new attempt. Call it only while `isReplayable`. From the call on, whatever the new
   * attempt has not taken yet is kept, even if the previous attempt is still reading.
   */
  chunks(): AsyncGenerator<Buffer> {
    this.attempt += 1;
    this.taken = 0;
    return this.chunksFor(this.attempt);
  }

  /** Ends all reading, because the rest is no longer needed. */
  cancel(reason: Error): void {
    this.reader.cancel(reason);
    this.kept = [];
  }

  private async *chunksFor(attempt: number): AsyncGenerator<Buffer> {
    while (await this.has(this.taken)) {
      if (attempt !== this.attempt) {
        // Merely ending here would be sealed as the end of the body.
        throw new Error('another attempt is sending this body');
      }
      const chunk = this.kept[this.taken - this.dropped];
      if (chunk === undefined) {
        throw new Error('a body that is no longer kept cannot be sent again');
      }
      this.taken += 1;
      this.dropTaken();
      yield chunk;
    }
  }

  private async has(index: number): Promise<boolean> {
    while (index >= this.dropped + this.kept.length) {
      // One read serves every waiting attempt, because one that has been given up may still be waiting.
      this.reading ??= this.readNext();
      if (!(await this.reading)) {
        return false;
      }
    }
    return true;
  }

  private async readNext(): Promise<boolean> {
    try {
      const chunk = await this.reader.next();
      if (chunk === undefined) {
        return false;
      }
      this.keep(chunk);
      return true;
    } finally {
      this.reading = undefined;
    }
  }

  private takeNow(): void {
    const chunk = this.reader.readNow();
    if (chunk !== undefined) {
      this.keep(chunk);
    }
  }

  private keep(chunk: Buffer): void {
    this.readBytes += chunk.length;
    this.kept.push(chunk);
    this.dropTaken();
  }

  private dropTaken(): void {
    if (!this.isReplayable && this.taken > this.dropped) {
      this.kept.splice(0, this.taken - this.dropped);
      this.dropped = this.taken;
    }
  }
}
