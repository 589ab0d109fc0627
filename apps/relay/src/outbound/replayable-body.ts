import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { BodyReader } from '@relay/http';

const REPLAY_BUFFER_BYTES = 1024 * 1024;

/**
 * A client's body that several attempts may send: what was read is kept for a second one until it is larger than the
 * replay buffer. Reading goes on where the attempts before have stopped. protocol.md section 8.
 */
export class ReplayableBody {
  private readonly reader: BodyReader;
  /** Chunks from `dropped` on. */
  private kept: Buffer[] = [];
  private dropped = 0;
  private readBytes = 0;
  private reading: Promise<boolean> | undefined;
  /** The attempt that sends; those before it were given up. */
  private attempt = 0;
  /** How many chunks that attempt has taken. */
  private taken = 0;

  constructor(message: IncomingMessage, idleTimeoutMs: number) {
    this.reader = new BodyReader(message, idleTimeoutMs);
  }

  /** What has been read so far. */
  get bytes(): number {
    return this.readBytes;
  }

  /** Whether an attempt from the first byte is still possible. */
  get isReplayable(): boolean {
    return this.readBytes <= REPLAY_BUFFER_BYTES;
  }

  /**
   * Takes in what has arrived by now, without waiting for more than one turn of the event loop.
   *
   * @returns the whole body where that was all of it
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
   * The body from its first byte, for a new attempt; only while `isReplayable`. What that attempt has not taken yet is
   * kept from this moment on, whatever the one before was still reading.
   */
  chunks(): AsyncGenerator<Buffer> {
    this.attempt += 1;
    this.taken = 0;
    return this.chunksFor(this.attempt);
  }

  /** Ends all reading: nobody wants the rest. */
  cancel(reason: Error): void {
    this.reader.cancel(reason);
    this.kept = [];
  }

  private async *chunksFor(attempt: number): AsyncGenerator<Buffer> {
    while (await this.has(this.taken)) {
      if (attempt !== this.attempt) {
        // Not a plain end: it would be sealed as the end of the body.
        throw new Error('another attempt sends this body now');
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
      // One read serves every attempt that waits: an attempt that was given up may still be among them.
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
