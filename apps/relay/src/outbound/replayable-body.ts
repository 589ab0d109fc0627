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

  constructor(message: IncomingMessage, idleTimeoutMs: number) {
    this.reader = new BodyReader(message, idleTimeoutMs);
  }

  /** What has been read so far. */
  get bytes(): number {
    return this.readBytes;
  }

  /** Whether an attempt from the first byte is still possible. */
  get isReplayable(): boolean {
    return this.dropped === 0;
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

  /** The body from its first byte; only while `isReplayable`. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; await this.has(at); at += 1) {
      const chunk = this.kept[at - this.dropped];
      if (chunk === undefined) {
        throw new Error('a body that is no longer kept cannot be sent again');
      }
      yield chunk;
    }
  }

  /** Ends all reading: nobody wants the rest. */
  cancel(reason: Error): void {
    this.reader.cancel(reason);
    this.kept = [];
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
    if (this.readBytes > REPLAY_BUFFER_BYTES) {
      this.dropped += this.kept.length;
      this.kept = [];
    }
    this.kept.push(chunk);
  }
}
