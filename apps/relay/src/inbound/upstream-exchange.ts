import type { ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { RelayError } from '@relay/errors';
import {
  ConnectionAuthUnsupportedError,
  Deferred,
  EXCHANGE_OVER,
  isEventStream,
  type Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import { bodyBytesOf, checkResponseHead, type ResponseHead } from '@relay/protocol';

import type { RequestEnd } from '../telemetry/request-reports.js';
import type { UpstreamClient } from '../upstream/upstream-client.js';
import { upstreamError } from '../upstream/upstream.errors.js';
import { MessageBrokenError, PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import type { ReadMessage } from './message-reader.js';
import type { ResponseSealer } from './response-sealer.js';
import { innerError, upstreamResponseHead, type InnerError } from './upstream-response.js';

/** The exchange with the upstream that one message causes. It always ends in a sealed response or a reset. */
export class UpstreamExchange implements ExchangeEvents {
  readonly sealer: ResponseSealer;
  private readonly end = new Deferred<RequestEnd>();
  private exchange: Exchange | undefined;
  private status: number | undefined;

  /** @param createSealer - creates the sealer of the response, which must call `onDrain` when writing may continue */
  constructor(
    private readonly message: ReadMessage,
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
    private readonly requestId: string,
    createSealer: (onDrain: () => void) => ResponseSealer,
  ) {
    this.sealer = createSealer(() => {
      this.exchange?.resume();
    });
  }

  /**
   * Forwards the message, or responds in the upstream's place if the message was refused.
   *
   * @returns how the exchange ended, once the response has been sent or abandoned
   * @throws MessageBrokenError, ResponseUnencodableError, both before the response has begun
   */
  async run(upstream: UpstreamClient): Promise<RequestEnd> {
    const { head, body, opener, refusal } = this.message;
    if (refusal !== undefined) {
      return { ...this.respond(innerError(refusal, 'no', this.requestId)), error: refusal };
    }
    this.response.once('close', this.onPeerGone);
    try {
      this.exchange = upstream.send(head, body, 'peer', this);
      if (this.response.destroyed) {
        this.onPeerGone();
      }
      return await this.end.promise;
    } finally {
      this.response.off('close', this.onPeerGone);
      opener.cancel(EXCHANGE_OVER);
    }
  }

  /** Whether the request was sent to the upstream a second time. */
  get wasRepeated(): boolean {
    return this.exchange?.wasRepeated === true;
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    let head: ResponseHead;
    try {
      head = upstreamResponseHead(status, rawFields, this.config.tunnelResponseHeaders);
      checkResponseHead(head);
      this.sealer.start(head, bodyBytesOf(head, this.message.head.method));
    } catch (cause) {
      this.exchange?.abort(
        cause instanceof ConnectionAuthUnsupportedError
          ? cause
          : new ResponseUnencodableError('no message can carry the response of the upstream', {
              cause,
            }),
      );
      return;
    }
    if (isEventStream(head.fields)) {
      this.exchange?.allowSilence();
    }
  }

  onData(chunk: Buffer): boolean {
    return this.sealer.write(chunk);
  }

  onEnd(): void {
    try {
      this.sealer.end();
      this.end.resolve({ status: this.status });
    } catch (error) {
      // No record is left for the end of a response whose length was unknown.
      this.sealer.reset();
      this.end.resolve({ code: 'RELAY_UPSTREAM_FAILED', error });
    }
  }

  onFailure(failure: ExchangeFailure): void {
    const { cause } = failure;
    if (cause instanceof PeerGoneError) {
      this.sealer.reset();
      this.end.resolve({ code: cause.code });
    } else if (this.sealer.isStarted) {
      this.sealer.reset();
      this.end.resolve({ code: 'RELAY_UPSTREAM_FAILED', error: cause });
    } else if (cause instanceof ResponseUnencodableError) {
      this.end.reject(cause);
    } else if (cause instanceof ConnectionAuthUnsupportedError) {
      const response = innerError(cause, cause.forwarded, this.requestId);
      this.end.resolve({ ...this.respond(response), error: cause });
    } else if (cause instanceof RelayError) {
      this.end.reject(new MessageBrokenError('the message ended early or is invalid', { cause }));
    } else {
      const error = upstreamError(failure);
      const response = innerError(error, error.forwarded, this.requestId);
      this.end.resolve({ ...this.respond(response), error: cause });
    }
  }

  private readonly onPeerGone = (): void => {
    if (!this.response.writableFinished) {
      this.exchange?.abort(new PeerGoneError('the relay that sent the message has gone away'));
    }
  };

  private respond({ head, body, code }: InnerError): RequestEnd {
    const hasBody = this.message.head.method !== 'HEAD';
    this.sealer.start(head, hasBody ? body.length : 0);
    if (hasBody) {
      this.sealer.write(body);
    }
    this.sealer.end();
    return { status: head.status, code };
  }
}
