import { MessageTooLargeError } from './admission.errors.js';
import type { BufferBudget } from './buffer-budget.js';

const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
const MAX_SILENCES = 10;

/**
 * How long a message may stay buffered while it is received, or while its receiver reads it. Without this limit, a sender that
 * is never silent for long could occupy its part of the budget for days.
 *
 * @param idleTimeoutMs - the longest silence; 0: no limit
 */
export function maxBufferMs(idleTimeoutMs: number): number {
  return MAX_SILENCES * idleTimeoutMs;
}

/** The body of one message, buffered until its last record has been verified. protocol.md section 6, MTE. */
export class MessageBuffer {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly budget: BufferBudget) {}

  /** @throws MessageTooLargeError, RelayBusyError; what was buffered before remains until `release` */
  add(chunk: Buffer): void {
    if (this.bytes + chunk.length > MAX_MESSAGE_BYTES) {
      throw new MessageTooLargeError(`buffered message exceeds ${MAX_MESSAGE_BYTES} bytes`);
    }
    this.budget.take(chunk.length);
    this.bytes += chunk.length;
    this.chunks.push(chunk);
  }

  /** The whole body. The budget remains taken until `release`. */
  whole(): Buffer {
    return Buffer.concat(this.chunks, this.bytes);
  }

  /** Returns the budget. Call it once the body has been passed on or discarded; further calls have no effect. */
  release(): void {
    this.budget.release(this.bytes);
    this.bytes = 0;
    this.chunks.length = 0;
  }
}
