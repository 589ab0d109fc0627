import type { Dispatcher } from 'undici';

import { countReceived } from './received-bytes.js';
import { IdleTimer } from './idle-timer.js';
import { rawFieldValues } from '@relay/fields';

/** Why an exchange ended without a whole answer. */
export type ExchangeFailureKind =
  /** No connection: DNS, TCP or TLS. */
  | 'unreachable'
  /** No connection within the limit. */
  | 'connect-timeout'
  /** No response head within the limit after the whole request was sent. */
  | 'response-timeout'
  /** Silence within the answer. */
  | 'idle'
  /** The other side broke the connection or the rules of HTTP. */
  | 'reset'
  /** Given up by this side, for the reason in `cause`. */
  | 'aborted';

export interface ExchangeFailure {
  readonly kind: ExchangeFailureKind;
  /** Whether a byte of the request may have left: if not, nobody acted upon it. */
  readonly wasSent: boolean;
  /** Whether the head of an answer has come, be it one that is not given on. */
  readonly hasHead: boolean;
  readonly cause: Error;
}

/** What becomes of one request, in order: maybe a head, then data, then an end; or a failure at any time. */
export interface ExchangeEvents {
  /** @param rawFields - name, value, … as they stood on the wire */
  onHead(status: number, rawFields: readonly (string | Buffer)[]): void;
  /** @returns false to stop the sender until `resume` is called */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFailure(failure: ExchangeFailure): void;
}

export interface ExchangeRequest {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  /** name, value, …; interceptors may append to it. */
  readonly headers: string[];
  /** Whole, or in pieces that are asked for as the connection takes them; undefined where there is none. */
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
}

export interface ExchangeLimits {
  /** From the end of the request to the head of the answer. */
  readonly responseTimeoutMs: number;
  /** Longest silence within the answer, and longest time that the receiver may leave the request unread; 0 switches the limit off. */
  readonly idleTimeoutMs: number;
}

const CONNECT_TIMEOUT_CODE = 'UND_ERR_CONNECT_TIMEOUT';
const LENGTH_MISMATCH_CODE = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
const CHUNKED = /^[ \t]*chunked[ \t]*$/i;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** One request and its answer over undici's lowest interface: no streams in between, back-pressure both ways. */
export class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private abortReason: ExchangeFailure | undefined;
  private hasHead = false;
  /** Whether the answer ends with its head, whatever length that states. */
  private isBodiless = false;
  /** Whether the request's end comes later than its beginning. */
  private isStreamed = false;
  private isSettled = false;
  private isWatched = false;
  private responseTimer: NodeJS.Timeout | undefined;
  private readonly idle: IdleTimer;

  constructor(
    private readonly limits: ExchangeLimits,
    private readonly events: ExchangeEvents,
  ) {
    this.idle = new IdleTimer(limits.idleTimeoutMs, () => {
      this.giveUp('idle', new Error(`silence of ${limits.idleTimeoutMs} ms within the answer`));
    });
  }

  /** Sends the request. Every outcome, also an immediate one, arrives as an event. */
  start(dispatcher: Dispatcher, request: ExchangeRequest): void {
    const { body } = request;
    this.isStreamed = body !== undefined && !Buffer.isBuffer(body);
    dispatcher.dispatch(
      {
        origin: request.origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        // undici takes async iterables, which its types leave out.
        body: (body === undefined || Buffer.isBuffer(body)
          ? (body ?? null)
          : this.withEndOfUpload(body)) as Buffer | null,
        // Our own limits count from other moments; undici closes after HEAD unless told.
        headersTimeout: 0,
        bodyTimeout: 0,
        reset: false,
      },
      this,
    );
  }

  /** Lets a sender go on that `onData` has stopped. */
  resume(): void {
    if (!this.isSettled) {
      this.watchSilence();
      this.controller?.resume();
    }
  }

  /** Lifts the limit on silence, for answers that are silent by nature. */
  allowSilence(): void {
    this.idle.disable();
  }

  /** Gives up, whatever the phase. The failure event follows, unless the exchange is already over. */
  abort(cause: Error): void {
    this.giveUp('aborted', cause);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.abortReason !== undefined) {
      controller.abort(this.abortReason.cause);
    } else if (!this.isStreamed) {
      this.awaitResponse();
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.isSettled) {
      return;
    }
    this.hasHead = true;
    this.isBodiless = status === NO_CONTENT || status === NOT_MODIFIED;
    clearTimeout(this.responseTimer);
    if (hasOtherCoding(controller.rawHeaders as Buffer[])) {
      this.giveUp('reset', new Error('the answer has a transfer coding besides chunked'));
      return;
    }
    this.watchSilence();
    this.events.onHead(status, controller.rawHeaders as Buffer[]);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) {
      return;
    }
    countReceived(chunk.length);
    const isReady = this.events.onData(chunk);
    if (this.hasEnded()) {
      return;
    }
    if (isReady) {
      this.watchSilence();
    } else {
      this.idle.stop();
      controller.pause();
    }
  }

  onResponseEnd(): void {
    if (this.settle()) {
      this.events.onEnd();
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (!this.settle()) {
      return;
    }
    if (this.abortReason === undefined && this.isWhole(cause)) {
      this.events.onEnd();
    } else {
      this.events.onFailure(this.abortReason ?? this.failureOf(cause));
    }
  }

  /** undici holds a 304 to its content-length, which is that of another answer. RFC 9110 section 8.6 */
  private isWhole({ code }: Error & { readonly code?: string }): boolean {
    return this.isBodiless && code === LENGTH_MISMATCH_CODE;
  }

  private failureOf(cause: Error & { readonly code?: string }): ExchangeFailure {
    if (this.controller !== undefined) {
      return this.failure('reset', cause);
    }
    const isTimeout = cause.code === CONNECT_TIMEOUT_CODE;
    return this.failure(isTimeout ? 'connect-timeout' : 'unreachable', cause);
  }

  private failure(kind: ExchangeFailureKind, cause: Error): ExchangeFailure {
    return { kind, wasSent: this.controller !== undefined, hasHead: this.hasHead, cause };
  }

  private giveUp(kind: ExchangeFailureKind, cause: Error): void {
    if (this.isSettled || this.abortReason !== undefined) {
      return;
    }
    this.abortReason = this.failure(kind, cause);
    if (this.controller !== undefined) {
      this.controller.abort(cause);
    } else if (this.settle()) {
      // Still waiting for a connection: it will be refused in onRequestStart.
      this.events.onFailure(this.abortReason);
    }
  }

  /** From the end of this turn: an answer that is whole by then, as most are, needs no timer. */
  private watchSilence(): void {
    if (this.isWatched) {
      this.idle.touch();
      return;
    }
    this.isWatched = true;
    queueMicrotask(() => {
      if (!this.isSettled && this.controller?.paused === false) {
        this.idle.touch();
      }
    });
  }

  /** Asked anew: an event handler may have given up meanwhile. */
  private hasEnded(): boolean {
    return this.isSettled;
  }

  private settle(): boolean {
    if (this.isSettled) {
      return false;
    }
    this.isSettled = true;
    clearTimeout(this.responseTimer);
    this.idle.stop();
    return true;
  }

  private awaitResponse(): void {
    if (this.hasHead || this.isSettled) {
      return;
    }
    const { responseTimeoutMs } = this.limits;
    this.responseTimer = setTimeout(() => {
      this.giveUp('response-timeout', new Error(`no answer within ${responseTimeoutMs} ms`));
    }, responseTimeoutMs);
  }

  private async *withEndOfUpload(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const stalled = new IdleTimer(this.limits.idleTimeoutMs, () => {
      this.giveUp('idle', new Error('the receiver has stopped reading the request'));
    });
    try {
      for await (const chunk of body) {
        stalled.touch();
        yield chunk;
        stalled.stop();
      }
    } catch (error) {
      // Named here as the reason, since undici only reports that the request broke off.
      this.abort(error as Error);
      throw error;
    } finally {
      stalled.stop();
    }
    this.awaitResponse();
  }
}

/** Chunks are undone here. Another coding would be taken for the content once the field that names it is gone. */
function hasOtherCoding(rawFields: readonly (string | Buffer)[]): boolean {
  return rawFieldValues(rawFields, 'transfer-encoding').some((coding) => !CHUNKED.test(coding));
}
