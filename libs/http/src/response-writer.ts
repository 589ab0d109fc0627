import type { ServerResponse } from 'node:http';

import { flushHead } from './flush-head.js';
import { IdleTimer } from './idle-timer.js';
import { resetConnection } from './reset-connection.js';
import { endRequestEarly, isUnfinished } from './early-response.js';

const SLICE_BYTES = 64 * 1024;

/**
 * Writes one streamed response with back-pressure. If the response cannot be completed, the connection is reset, because a
 * clean end would make it look complete.
 */
export class ResponseWriter {
  private hasStarted = false;
  private written = 0;
  /** The slices of the last chunks that have not been written yet. */
  private rest: Buffer[] | undefined;
  private readonly stalled: IdleTimer;

  /**
   * @param stallTimeoutMs - the longest time for which the receiver may leave written bytes unread; 0: no limit
   * @param onDrain - called when the receiver is ready for more
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

  /** Whether the head has been written. From then on, no other response can be sent. */
  get isStarted(): boolean {
    return this.hasStarted;
  }

  /** Number of body bytes that have been written so far. */
  get bytes(): number {
    return this.written;
  }

  /**
   * Writes the head.
   *
   * @param fields - name, value, …; written in this order, with repeats, after the fields already set on the response
   */
  start(status: number, fields: readonly string[]): void {
    this.hasStarted = true;
    // The response has the date of its origin, so Node.js must not add one.
    this.response.sendDate = false;
    this.response.on('drain', this.drained);
    if (isUnfinished(this.response.req)) {
      this.response.shouldKeepAlive = false;
    }
    if (this.response.getHeaderNames().length === 0) {
      this.response.writeHead(status, fields as string[]);
      return;
    }
    // If fields were set earlier, writeHead would keep only one line of each name.
    for (let at = 0; at < fields.length; at += 2) {
      this.response.appendHeader(fields[at] ?? '', fields[at + 1] ?? '');
    }
    this.response.writeHead(status);
  }

  /** Sends the head immediately, for a receiver that is waiting for events. */
  flushHead(): void {
    flushHead(this.response);
  }

  /** Writes a chunk of the body. @returns false if the caller should wait until `onDrain` is called */
  write(chunk: Buffer): boolean {
    this.written += chunk.length;
    const isReady = this.response.write(chunk);
    if (!isReady) {
      this.stalled.touch();
    }
    return isReady;
  }

  /** Ends the response, and discards what is left of its request. A large last chunk is written in slices, so that the progress of a slow receiver is noticed. */
  end(chunk?: Buffer): void {
    if (chunk !== undefined && chunk.length > SLICE_BYTES) {
      this.endWith([chunk]);
      return;
    }
    this.written += chunk?.length ?? 0;
    this.stalled.stop();
    this.response.end(chunk);
    endRequestEarly(this.response.req);
    // Most responses fit into the buffers of the system and need no timer.
    if (this.response.writableLength > 0 && !this.response.destroyed) {
      this.stalled.touch();
      this.response.once('close', () => {
        this.stalled.stop();
      });
    }
  }

  /**
   * Ends the response with chunks that are all at hand. They are written as the receiver reads them, and none is kept after it
   * has been written.
   */
  endWith(chunks: readonly Buffer[]): void {
    this.rest = chunks.flatMap(slicesOf);
    this.writeRest();
  }

  /** Gives up a response that has started. */
  reset(): void {
    this.stalled.stop();
    if (!this.response.writableFinished) {
      // The socket of the request: a response that is waiting for its turn on the connection does not have one.
      resetConnection(this.response.req.socket);
    }
  }

  private writeRest(): void {
    let slice = this.rest?.shift();
    while (slice !== undefined && this.rest?.length !== 0) {
      if (!this.write(slice)) {
        return;
      }
      slice = this.rest?.shift();
    }
    this.rest = undefined;
    this.end(slice);
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

function slicesOf(chunk: Buffer): Buffer[] {
  const count = Math.ceil(chunk.length / SLICE_BYTES);
  return Array.from({ length: count }, (_, at) =>
    chunk.subarray(at * SLICE_BYTES, (at + 1) * SLICE_BYTES),
  );
}

/** Whether a response is pipelined behind an unfinished one. It cannot be read yet, and a reset would cut off the other one. */
function isAwaitingTurn({ socket, writableFinished, destroyed }: ServerResponse): boolean {
  return socket === null && !writableFinished && !destroyed;
}
