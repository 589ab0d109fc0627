import type { ServerResponse } from 'node:http';

import { flushHead } from './flush-head.js';
import { IdleTimer } from './idle-timer.js';
import { resetConnection } from './reset-connection.js';
import { drain } from './early-response.js';

const SLICE_BYTES = 64 * 1024;

/**
 * Writes one streamed answer with back-pressure. An answer that cannot be finished resets the connection, since a clean
 * end would look like a whole message.
 */
export class ResponseWriter {
  private hasStarted = false;
  private written = 0;
  /** What of the last piece is still to be written. */
  private rest: Buffer | undefined;
  private readonly stalled: IdleTimer;

  /**
   * @param stallTimeoutMs - longest time that the receiver may leave written bytes unread; 0 switches the limit off
   * @param onDrain - writing may go on
   */
  constructor(
    private readonly response: ServerResponse,
    stallTimeoutMs: number,
    private readonly onDrain: () => void,
  ) {
    this.stalled = new IdleTimer(stallTimeoutMs, () => {
      if (isAwaitingTurn(response)) {
        this.stalled.touch();
      } else {
        this.reset();
      }
    });
  }

  /** Whether the head was given, so that no other answer can be sent. */
  get isStarted(): boolean {
    return this.hasStarted;
  }

  /** Of the body, as it was written so far. */
  get bytes(): number {
    return this.written;
  }

  /** @param fields - name, value, …; written in this order, with repeats, behind what was set on the response before */
  start(status: number, fields: readonly string[]): void {
    this.hasStarted = true;
    // The clock and name in the answer are those of the one who made it.
    this.response.sendDate = false;
    this.response.on('drain', this.drained);
    if (this.response.getHeaderNames().length === 0) {
      this.response.writeHead(status, fields as string[]);
      return;
    }
    // Beside fields that were set before, writeHead keeps one line of each name only.
    for (let at = 0; at < fields.length; at += 2) {
      this.response.appendHeader(fields[at] ?? '', fields[at + 1] ?? '');
    }
    this.response.writeHead(status);
  }

  /** Sends the head now, for a receiver that waits for events. */
  flushHead(): void {
    flushHead(this.response);
  }

  /** @returns false where the receiver should be waited for: `onDrain` is called when it is ready */
  write(chunk: Buffer): boolean {
    this.written += chunk.length;
    const isReady = this.response.write(chunk);
    if (!isReady) {
      this.stalled.touch();
    }
    return isReady;
  }

  /** Ends the answer. A large piece goes out in slices, so that a receiver which reads on is seen to do so. */
  end(chunk?: Buffer): void {
    if (chunk !== undefined && chunk.length > SLICE_BYTES) {
      this.rest = chunk;
      this.writeRest();
      return;
    }
    this.written += chunk?.length ?? 0;
    this.stalled.stop();
    const { req, shouldKeepAlive } = this.response;
    if (shouldKeepAlive || req.complete) {
      this.endResponse(chunk);
    } else {
      this.endAfterRequest(chunk);
    }
  }

  /** Gives up an answer that has started. */
  reset(): void {
    this.stalled.stop();
    if (!this.response.writableFinished) {
      // The request's: a response that waits for its turn on the connection has none of its own.
      resetConnection(this.response.req.socket);
    }
  }

  /**
   * Node.js closes a connection that is not kept alive together with its answer; what the client is still sending would
   * turn that into a reset, and the answer would be lost.
   */
  private endAfterRequest(chunk: Buffer | undefined): void {
    if (chunk === undefined) {
      this.flushHead();
    } else {
      this.response.write(chunk);
    }
    drain(this.response.req, () => {
      this.endResponse();
    });
  }

  private endResponse(chunk?: Buffer): void {
    this.response.end(chunk);
    // What the system has taken at once, as it does with most answers, needs no timer.
    if (this.response.writableLength > 0 && !this.response.destroyed) {
      this.stalled.touch();
      this.response.once('close', () => {
        this.stalled.stop();
      });
    }
  }

  private writeRest(): void {
    while (this.rest !== undefined && this.rest.length > SLICE_BYTES) {
      const slice = this.rest.subarray(0, SLICE_BYTES);
      this.rest = this.rest.subarray(SLICE_BYTES);
      if (!this.write(slice)) {
        return;
      }
    }
    const last = this.rest;
    this.rest = undefined;
    this.end(last);
  }

  private readonly drained = (): void => {
    this.stalled.stop();
    if (this.rest === undefined) {
      this.onDrain();
    } else {
      this.writeRest();
    }
  };
}

/** Pipelined behind an answer that is not over: nobody could have read this one, and a reset would cut off that one. */
function isAwaitingTurn({ socket, writableFinished, destroyed }: ServerResponse): boolean {
  return socket === null && !writableFinished && !destroyed;
}
