import { MessageTooLargeError, RelayBusyError } from './http.errors.js';

const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
const MAX_HELD_BYTES = 256 * 1024 * 1024;
const MAX_SILENCES = 10;

/**
 * How long a message may be held back while it is received, or while its receiver reads it: whoever is never silent for
 * long could otherwise keep its part of the budget for days.
 *
 * @param idleTimeoutMs - longest silence; 0: no limit
 */
export function maxHoldMs(idleTimeoutMs: number): number {
  return MAX_SILENCES * idleTimeoutMs;
}

/** How much this process holds of messages that are released only whole. protocol.md section 6, MTE. */
export class HoldBudget {
  private held = 0;

  /** @throws RelayBusyError where the process holds too much already */
  take(bytes: number): void {
    if (this.held + bytes > MAX_HELD_BYTES) {
      throw new RelayBusyError(`messages held back exceed ${MAX_HELD_BYTES} bytes`);
    }
    this.held += bytes;
  }

  release(bytes: number): void {
    this.held -= bytes;
  }

  /** What is held at this moment, of all messages. */
  get heldBytes(): number {
    return this.held;
  }
}

/** The body of one message, held back until its last record has been verified. */
export class MessageHold {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly budget: HoldBudget) {}

  /** @throws MessageTooLargeError, RelayBusyError; what was held until then stays, for `release` */
  add(chunk: Buffer): void {
    if (this.bytes + chunk.length > MAX_MESSAGE_BYTES) {
      throw new MessageTooLargeError(`message held back exceeds ${MAX_MESSAGE_BYTES} bytes`);
    }
    this.budget.take(chunk.length);
    this.bytes += chunk.length;
    this.chunks.push(chunk);
  }

  /** The whole body; the budget stays taken until `release`. */
  whole(): Buffer {
    return Buffer.concat(this.chunks, this.bytes);
  }

  /** Gives the budget back; to be called once the body has been passed on or given up. */
  release(): void {
    this.budget.release(this.bytes);
    this.bytes = 0;
    this.chunks.length = 0;
  }
}
