import type { IncomingMessage } from 'node:http';

import { countReceived } from './received-bytes.js';
import { BodyAbortedError, BodyIdleError } from './http.errors.js';
import { IdleTimer } from './idle-timer.js';

/**
 * Reads the body of a request chunk by chunk, on demand: what has not been requested stays with the sender (back-pressure). There is one
 * reader for each request, and one read at a time. The reader never destroys the request, because a response may still have to
 * be sent on its connection.
 */
export class BodyReader {
  private hasEnded = false;
  private isListening = false;
  private readBytes = 0;
  private failure: Error | undefined;
  private waiting: PromiseWithResolvers | undefined;
  private readonly idle: IdleTimer;

  /** @param idleTimeoutMs - the longest silence while a read is waiting; 0: no limit */
  constructor(
    private readonly request: IncomingMessage,
    idleTimeoutMs: number,
  ) {
    this.idle = new IdleTimer(idleTimeoutMs, () => {
      this.fail(new BodyIdleError(`no byte of the body arrived for ${idleTimeoutMs} ms`));
    });
    // Without an error listener, an aborted request would end the process. Both events mean that nothing more will arrive.
    request.on('close', this.onClose).on('error', this.onClose);
    if (request.destroyed && !request.complete) {
      this.onClose();
    }
  }

  /** Takes what has already arrived. @returns undefined if nothing has */
  readNow(): Buffer | undefined {
    const chunk = (this.request.read() as Buffer | null) ?? undefined;
    if (chunk !== undefined) {
      this.readBytes += chunk.length;
      countReceived(chunk.length);
    }
    return chunk;
  }

  /** Number of bytes that have been read so far. */
  get bytes(): number {
    return this.readBytes;
  }

  /** Whether the whole body has been read. */
  get isAtEnd(): boolean {
    return this.hasEnded || (this.request.complete && this.request.readableLength === 0);
  }

  /**
   * Waits for the next chunk.
   *
   * @returns the chunk, or undefined at the end of the body
   * @throws BodyAbortedError, BodyIdleError
   */
  async next(): Promise<Buffer | undefined> {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const chunk = this.readNow();
    if (chunk !== undefined || this.isAtEnd) {
      return chunk;
    }
    this.idle.touch();
    this.listen();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  /** Yields all remaining chunks, each one on demand. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
      yield chunk;
    }
  }

  /** Stops reading: a waiting read and all later reads fail with `reason`. */
  cancel(reason: Error): void {
    this.fail(reason);
  }

  /** Called only once a read has to wait: most bodies arrive together with their heads, and listeners cost time. */
  private listen(): void {
    if (!this.isListening) {
      this.isListening = true;
      this.request.on('readable', this.onReadable).on('end', this.onEnd);
    }
  }

  private readonly onReadable = (): void => {
    if (this.waiting !== undefined) {
      const chunk = this.readNow();
      if (chunk !== undefined) {
        this.settle()?.resolve(chunk);
      }
    }
  };

  private readonly onEnd = (): void => {
    this.hasEnded = true;
    this.settle()?.resolve(undefined);
  };

  private readonly onClose = (): void => {
    if (this.isAtEnd) {
      this.onEnd();
    } else {
      this.fail(
        new BodyAbortedError('the sender closed the connection before the end of the body'),
      );
    }
  };

  private fail(reason: Error): void {
    this.failure ??= reason;
    this.settle()?.reject(this.failure);
  }

  private settle(): PromiseWithResolvers | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    this.idle.stop();
    return waiting;
  }
}

interface PromiseWithResolvers {
  readonly resolve: (chunk: Buffer | undefined) => void;
  readonly reject: (reason: Error) => void;
}
