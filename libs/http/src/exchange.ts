import { rawFieldValues } from '@relay/fields';
import type { Dispatcher } from 'undici';

import { countReceived } from './received-bytes.js';
import { IdleTimer } from './idle-timer.js';

/** Why an exchange ended without a complete response. */
export type ExchangeFailureKind =
  /** No connection: DNS, TCP or TLS. */
  | 'unreachable'
  /** No connection within the limit. */
  | 'connect-timeout'
  /** No response head within the limit after the whole request was sent. */
  | 'response-timeout'
  /** Silence within the response, or a receiver that has stopped reading the request. */
  | 'idle'
  /** The other side reset or closed the connection, or violated HTTP. */
  | 'reset'
  /** Aborted by this side, for the reason in `cause`. */
  | 'aborted';

/** How an exchange failed. */
export interface ExchangeFailure {
  readonly kind: ExchangeFailureKind;
  /** Whether a byte of the request may have been sent. If not, nothing can have acted on the request. */
  readonly wasSent: boolean;
  /** Whether the head of a final response has arrived, even one that was not passed to `onHead`. */
  readonly hasHead: boolean;
  readonly cause: Error;
}

/** The events of one exchange, in order: a head, any number of data chunks, an end; or a failure at any time. */
export interface ExchangeEvents {
  /**
   * The head of the response has arrived. Interim responses are not reported.
   *
   * @param rawFields - name, value, … as received
   */
  onHead(status: number, rawFields: readonly (string | Buffer)[]): void;
  /** A chunk of the body has arrived. @returns false to pause the sender until `resume` is called */
  onData(chunk: Buffer): boolean;
  /** The response is complete. No event follows. */
  onEnd(): void;
  /** The exchange has failed. No event follows. */
  onFailure(failure: ExchangeFailure): void;
}

/** The request of an exchange. */
export interface ExchangeRequest {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  /** Name, value, … */
  readonly headers: string[];
  /** A whole body, or chunks that are requested as fast as the connection takes them; undefined if there is no body. */
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
}

/** The time limits of an exchange. */
export interface ExchangeLimits {
  /** From the end of the request to the head of the response. */
  readonly responseTimeoutMs: number;
  /** The longest silence within the response, and the longest time for which the receiver may not read; 0: no limit. */
  readonly idleTimeoutMs: number;
}

const CONNECT_TIMEOUT_CODE = 'UND_ERR_CONNECT_TIMEOUT';
const LENGTH_MISMATCH_CODE = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
const CHUNKED = /^[ \t]*chunked[ \t]*$/i;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** One request and its response, over undici's lowest interface: no streams in between, back-pressure in both directions. */
export class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private abortReason: ExchangeFailure | undefined;
  private hasHead = false;
  /** Whether the response ends with its head, whatever length the head states. */
  private isBodiless = false;
  /** Whether the body of the request is sent in chunks, so that the request ends some time after it starts. */
  private isStreamed = false;
  private isSettled = false;
  private isWatched = false;
  private responseTimer: NodeJS.Timeout | undefined;
  private readonly idle: IdleTimer;

  /** @param events - receives the events of the exchange */
  constructor(
    private readonly limits: ExchangeLimits,
    private readonly events: ExchangeEvents,
  ) {
    this.idle = new IdleTimer(limits.idleTimeoutMs, () => {
      this.giveUp('idle', new Error(`silence of ${limits.idleTimeoutMs} ms within the response`));
    });
  }

  /** Sends the request. Every outcome is reported as an event, even an immediate one. */
  start(dispatcher: Dispatcher, request: ExchangeRequest): void {
    const { body } = request;
    this.isStreamed = body !== undefined && !Buffer.isBuffer(body);
    dispatcher.dispatch(
      {
        origin: request.origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        // undici accepts async iterables, although its types do not.
        body: (body === undefined || Buffer.isBuffer(body)
          ? (body ?? null)
          : this.withEndOfUpload(body)) as Buffer | null,
        // The relay's own limits start at other moments. By default, undici closes the connection after HEAD.
        headersTimeout: 0,
        bodyTimeout: 0,
        reset: false,
      },
      this,
    );
  }

  /** Resumes a sender that `onData` has paused. */
  resume(): void {
    if (!this.isSettled) {
      this.watchSilence();
      this.controller?.resume();
    }
  }

  /** Removes the limit on silence, for responses such as event streams. */
  allowSilence(): void {
    this.idle.disable();
  }

  /** Aborts the exchange, whatever its phase. A failure event follows, unless the exchange is already over. */
  abort(cause: Error): void {
    this.giveUp('aborted', cause);
  }

  /** Called by undici when the request is about to be written to a connection. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.abortReason !== undefined) {
      controller.abort(this.abortReason.cause);
    } else if (!this.isStreamed) {
      this.awaitResponse();
    }
  }

  /** Called by undici for every response head, interim ones included. */
  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.isSettled) {
      return;
    }
    this.hasHead = true;
    this.isBodiless = status === NO_CONTENT || status === NOT_MODIFIED;
    clearTimeout(this.responseTimer);
    if (hasOtherCoding(controller.rawHeaders as Buffer[])) {
      this.giveUp('reset', new Error('the response has a transfer coding other than chunked'));
      return;
    }
    this.watchSilence();
    this.events.onHead(status, controller.rawHeaders as Buffer[]);
  }

  /** Called by undici for every chunk of the response. */
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

  /** Called by undici at the end of the response. */
  onResponseEnd(): void {
    if (this.settle()) {
      this.events.onEnd();
    }
  }

  /** Called by undici if the request cannot be sent or the response does not complete. */
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

  /** undici expects a 304 to have the length in its content-length, which is that of the 200. RFC 9110 section 8.6. */
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
      // The request is still waiting for a connection: onRequestStart will abort it.
      this.events.onFailure(this.abortReason);
    }
  }

  /** Starts the timer at the end of this turn: most responses are complete by then and need none. */
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

  /** A separate call, because an event handler may have aborted the exchange in the meantime. */
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
      this.giveUp('response-timeout', new Error(`no response within ${responseTimeoutMs} ms`));
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
      // Abort with the real reason: undici would only report that the request was aborted.
      this.abort(error as Error);
      throw error;
    } finally {
      stalled.stop();
    }
    this.awaitResponse();
  }
}

/** undici decodes chunked only. Without its field, which is not forwarded, any other coding would be taken for the content. */
function hasOtherCoding(rawFields: readonly (string | Buffer)[]): boolean {
  return rawFieldValues(rawFields, 'transfer-encoding').some((coding) => !CHUNKED.test(coding));
}
