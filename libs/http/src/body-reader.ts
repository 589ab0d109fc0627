import type { IncomingMessage } from 'node:http';

import { countReceived } from './received-bytes.js';
import { BodyAbortedError, BodyIdleError } from './http.errors.js';
import { IdleTimer } from './idle-timer.js';

/**
 * Reads a body chunk by chunk, as it is asked for: what is not asked for stays with the sender (back-pressure). One
 * reader a message, one read at a time. It never destroys the message: an answer may still have to go out.
 */
export class BodyReader {
  private hasEnded = false;
  private isListening = false;
  private readBytes = 0;
  private failure: Error | undefined;
  private waiting: PromiseWithResolvers | undefined;
  private readonly idle: IdleTimer;

  /** @param idleTimeoutMs - longest silence while a read waits; 0 switches the limit off */
  constructor(
    private readonly message: IncomingMessage,
    idleTimeoutMs: number,
  ) {
    this.idle = new IdleTimer(idleTimeoutMs, () => {
      this.fail(new BodyIdleError(`no byte of the body arrived for ${idleTimeoutMs} ms`));
    });
    // Without a listener for errors an aborted message would be an uncaught one; 'close' says all there is to say.
    message.on('close', this.onClose).on('error', this.onClose);
    if (message.destroyed && !message.complete) {
      this.onClose();
    }
  }

  /** What has already arrived, or undefined where nothing has. */
  readNow(): Buffer | undefined {
    const chunk = (this.message.read() as Buffer | null) ?? undefined;
    if (chunk !== undefined) {
      this.readBytes += chunk.length;
      countReceived(chunk.length);
    }
    return chunk;
  }

  /** What has been read so far. */
  get bytes(): number {
    return this.readBytes;
  }

  /** Whether the whole body has been read. */
  get isAtEnd(): boolean {
    return this.hasEnded || (this.message.complete && this.message.readableLength === 0);
  }

  /**
   * @returns the next chunk, or undefined at the end
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

  /** All chunks to the end, as they are asked for. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) {
      yield chunk;
    }
  }

  /** Stops reading: a waiting read and all that follow fail with `reason`. */
  cancel(reason: Error): void {
    this.fail(reason);
  }

  /** Only once there is something to wait for: most bodies are there with their heads, and listening has its price. */
  private listen(): void {
    if (!this.isListening) {
      this.isListening = true;
      this.message.on('readable', this.onReadable).on('end', this.onEnd);
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
