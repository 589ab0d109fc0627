import type { Socket } from 'node:net';

import type { Dispatcher } from 'undici';

import type {
  ConnectionDispatchOptions,
  ConnectionHolder,
} from './connections/connection-client.js';
import type { Connection } from './connections/connection.js';
import type {
  ExchangeEvents,
  ExchangeFailure,
  ExchangeFailureKind,
  ExchangeLimits,
  ExchangeRequest,
} from './exchange-events.js';
import { countReceived } from './received-bytes.js';
import { IdleTimer } from './idle-timer.js';
import { hasUndecodedCoding, transferCodings } from './transfer-codings.js';
import { watchedUpload } from './watched-upload.js';

const CONNECT_TIMEOUT_CODE = 'UND_ERR_CONNECT_TIMEOUT';
const LENGTH_MISMATCH_CODE = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** One request and its response, over undici's lowest interface: no streams in between, back-pressure in both directions. */
export class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private client: ConnectionHolder | undefined;
  private connection: Connection | undefined;
  private request: ExchangeRequest | undefined;
  private isRepeat = false;
  private wasSent = false;
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
    this.request = request;
    const options: ConnectionDispatchOptions = {
      origin: request.origin,
      method: request.method,
      path: request.path,
      headers: request.headers,
      // undici accepts async iterables, although its types do not.
      body: (body === undefined || Buffer.isBuffer(body)
        ? (body ?? null)
        : this.withEndOfUpload(body)) as Buffer | null,
      // The relay's own limits start at other moments.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Some servers send the body of a response to HEAD, and nobody knows when: no other exchange may follow it.
      reset: request.method === 'HEAD',
      upgrade: request.upgrade ?? null,
      sender: this,
    };
    dispatcher.dispatch(options, this);
  }

  /** Whether the request was sent on a second connection, because the first was lost before any response. */
  get wasRepeated(): boolean {
    return this.isRepeat;
  }

  /** Called by the client that will send the request. */
  onClient(client: ConnectionHolder): void {
    this.client = client;
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
    this.wasSent = true;
    this.connection = this.client?.connection;
    this.connection?.beginExchange();
    if (this.abortReason !== undefined) {
      controller.abort(this.abortReason.cause);
    } else if (!this.isStreamed) {
      this.awaitResponse();
    }
  }

  /** Called by undici for every response head, interim ones included. */
  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.isSettled || (status < 200 && status !== SWITCHING_PROTOCOLS)) {
      return;
    }
    if (status === SWITCHING_PROTOCOLS) {
      this.giveUp('reset', new Error('the response switches to a protocol that nobody asked for'));
      return;
    }
    this.hasHead = true;
    this.isBodiless = status === NO_CONTENT || status === NOT_MODIFIED;
    clearTimeout(this.responseTimer);
    const codings = transferCodings(controller.rawHeaders as Buffer[]);
    if (hasUndecodedCoding(codings)) {
      this.giveUp('reset', new Error('the response has a transfer coding other than chunked'));
      return;
    }
    if (this.isBodiless && codings.length > 0) {
      // undici itself closes the connection of one that states a length.
      this.connection?.closeAfterExchange();
    }
    this.watchSilence();
    this.events.onHead(status, controller.rawHeaders as Buffer[]);
  }

  /** Called by undici if the server has switched protocols as it was asked to. The socket is no longer undici's. */
  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _fields: unknown,
    socket: Socket,
  ): void {
    this.connection?.handOver();
    if (this.settle()) {
      this.events.onUpgrade?.(controller.rawHeaders as Buffer[], socket);
    } else {
      socket.destroy();
    }
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
    if (this.sendAnew(cause) || !this.settle()) {
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
    const unreached = cause.code === CONNECT_TIMEOUT_CODE ? 'connect-timeout' : 'unreachable';
    return this.failure(this.controller === undefined ? unreached : 'reset', cause);
  }

  private failure(kind: ExchangeFailureKind, cause: Error): ExchangeFailure {
    return { kind, wasSent: this.wasSent, hasHead: this.hasHead, cause };
  }

  /** Sends the request on a new connection, if it may be. Its time limit goes on. undici does so only after a close, not a reset. */
  private sendAnew(cause: Error): boolean {
    const { request } = this;
    if (request?.fresh === undefined || this.isSettled || this.abortReason !== undefined) {
      return false;
    }
    const isLost = this.wasSent
      ? request.mayRunTwice === true && this.connection?.isUnansweredReuse === true
      : this.client?.connection?.wasLostBy(cause) === true;
    if (isLost) {
      this.isRepeat = this.wasSent;
      this.controller = undefined;
      this.start(request.fresh, { ...request, fresh: undefined });
    }
    return isLost;
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
    this.connection?.endExchange();
    clearTimeout(this.responseTimer);
    this.idle.stop();
    return true;
  }

  private awaitResponse(): void {
    if (this.hasHead || this.isSettled || this.responseTimer !== undefined) {
      return;
    }
    const { responseTimeoutMs } = this.limits;
    this.responseTimer = setTimeout(() => {
      this.giveUp('response-timeout', new Error(`no response within ${responseTimeoutMs} ms`));
    }, responseTimeoutMs);
  }

  private withEndOfUpload(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    return watchedUpload(body, this.limits.idleTimeoutMs, {
      onStalled: () => {
        this.giveUp('idle', new Error('the receiver has stopped reading the request'));
      },
      // With the real reason: undici would only report that the request was aborted.
      onFailed: (error) => {
        this.abort(error);
      },
      onComplete: () => {
        this.awaitResponse();
      },
    });
  }
}
