import { MessageTooLargeError } from './admission.errors.js';
import type { BufferBudget } from './buffer-budget.js';

const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
const MAX_SILENCES = 10;
/** Blocks grow with the message: a small one does not take much more than its length, and a large one has few blocks. */
const MIN_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 64 * 1024;

/**
 * How long a message may stay buffered while it is received, or while its receiver reads it, and how long a body on a
 * pass-through route may take. Without this limit, a sender that is never silent for long could occupy its part of the budget,
 * or its place, for days.
 *
 * @param idleTimeoutMs - the longest silence; 0: no limit
 */
export function maxBufferMs(idleTimeoutMs: number): number {
  return MAX_SILENCES * idleTimeoutMs;
}

/**
 * The body of one message, buffered until its last record has been verified. protocol.md section 6, MTE.
 *
 * Its content is copied into blocks of the buffer's own, and the budget is taken for whole blocks. A chunk that was kept instead
 * would keep alive what it is a part of: the padding of its record, and an object for every byte if records are that small.
 */
export class MessageBuffer {
  private blocks: Buffer[] = [];
  /** Bytes of the body. */
  private bytes = 0;
  /** Bytes of all blocks, which were taken from the budget. */
  private taken = 0;
  /** Free bytes at the end of the last block. */
  private free = 0;

  constructor(private readonly budget: BufferBudget) {}

  /**
   * @param chunk - copied
   * @throws MessageTooLargeError, RelayBusyError; what was buffered before remains until `release`
   */
  add(chunk: Buffer): void {
    if (this.bytes + chunk.length > MAX_MESSAGE_BYTES) {
      throw new MessageTooLargeError(
        `a body sent as MTE has at most ${MAX_MESSAGE_BYTES} bytes; as MKE it is streamed, without this limit`,
      );
    }
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      const block = this.blockFor(chunk.length - at);
      const copied = chunk.copy(block, block.length - this.free, at);
      this.free -= copied;
      at += copied;
    }
  }

  /**
   * Hands over the whole body, in parts, which the buffer no longer keeps alive. There is no copy as one Buffer, which would take
   * the same memory again. The budget remains taken until `release`.
   */
  takeParts(): Buffer[] {
    const { blocks, free } = this;
    this.blocks = [];
    this.free = 0;
    return blocks.map((block, at) =>
      at === blocks.length - 1 ? block.subarray(0, block.length - free) : block,
    );
  }

  /** Returns the budget. Call it once the body has been passed on or discarded; further calls have no effect. */
  release(): void {
    this.budget.release(this.taken);
    this.taken = 0;
    this.bytes = 0;
    this.blocks = [];
    this.free = 0;
  }

  /** The last block, or a new one if that is full. @param wanted - how much is left to be copied */
  private blockFor(wanted: number): Buffer {
    const last = this.blocks.at(-1);
    if (last !== undefined && this.free > 0) {
      return last;
    }
    const size = Math.min(MAX_BLOCK_BYTES, Math.max(MIN_BLOCK_BYTES, this.taken, wanted));
    this.budget.take(size);
    this.taken += size;
    // Not from the pool that small Buffers share: a block must not keep anything else alive.
    const block = Buffer.allocUnsafeSlow(size);
    this.blocks.push(block);
    this.free = size;
    return block;
  }
}
