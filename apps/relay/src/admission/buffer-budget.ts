import { Injectable } from '@nestjs/common';

import { RelayBusyError } from './admission.errors.js';

const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;

/** How much memory this process may take for buffered messages at the same time. protocol.md section 6, MTE. */
@Injectable()
export class BufferBudget {
  private buffered = 0;

  /** Bytes that are taken at this moment, for all messages together. */
  get bufferedBytes(): number {
    return this.buffered;
  }

  /** @throws RelayBusyError if the process would buffer more than it may; nothing is taken then */
  take(bytes: number): void {
    if (this.buffered + bytes > MAX_BUFFERED_BYTES) {
      throw new RelayBusyError(`buffered messages exceed ${MAX_BUFFERED_BYTES} bytes`);
    }
    this.buffered += bytes;
  }

  /** Returns bytes that were taken. */
  release(bytes: number): void {
    this.buffered -= bytes;
  }
}
