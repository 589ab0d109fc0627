import type { Socket } from 'node:net';

import { RelayError, type Forwarded } from '@relay/errors';
import {
  ConnectionAuthUnsupportedError,
  Deferred,
  EXCHANGE_OVER,
  isEventStream,
  resetConnection,
  type Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import { bodyBytesOf, checkResponseHead, type ResponseHead } from '@relay/protocol';

import type { RequestRecord } from '../telemetry/request-record.js';
import type { RequestEnd } from '../telemetry/request-reports.js';
import type { UpstreamClient } from '../upstream/upstream-client.js';
import type { UpstreamSettings } from '../upstream/upstream-settings.js';
import { upstreamError } from '../upstream/upstream.errors.js';
import { PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import type { OpenedRequest } from './opened-request.js';
import type { SealedResponse } from './sealed-response.js';
import { innerError, upstreamResponseHead } from './upstream-response.js';

const SWITCHING_PROTOCOLS = 101;

/** The exchange with the upstream that one request causes. It always ends in a sealed response or a reset. */
export class UpstreamExchange implements ExchangeEvents {
  private readonly end = new Deferred<RequestEnd>();
  private exchange: Exchange | undefined;
  private status: number | undefined;

  /** @param sealer - of the response; `resume` is to be called when writing may continue */
  constructor(
    private readonly request: OpenedRequest,
    private readonly sealer: SealedResponse,
    private readonly settings: UpstreamSettings,
    private readonly record: Pick<RequestRecord, 'requestId' | 'trace' | 'sentStatus'>,
  ) {}

  /**
   * Forwards the request, or responds in the upstream's place if the request was refused.
   *
   * @returns how the exchange ended, once the response has been sent or abandoned
   * @throws ResponseUnencodableError, or the RelayError with which the body of the request broke off, both before the response
   *   has begun
   */
  async run(upstream: UpstreamClient): Promise<RequestEnd> {
    const { head, body, opener, refusal, upgrade } = this.request;
    if (refusal !== undefined) {
      return this.respond(refusal, 'no');
    }
    try {
      this.exchange = upstream.send(head, body, 'peer', this, {
        upgrade: upgrade?.protocol,
        trace: this.record.trace,
      });
      return await this.end.promise;
    } finally {
      opener.cancel(EXCHANGE_OVER);
    }
  }

  /** Resumes the upstream's response after the peer has caught up. */
  resume(): void {
    this.exchange?.resume();
  }

  /** Gives up. @param reason - PeerGoneError if there is nobody to respond to */
  abort(reason: Error): void {
    this.exchange?.abort(reason);
  }

  /** Responds in the upstream's place. */
  respond(error: RelayError & { readonly retryAfter?: number }, forwarded: Forwarded): RequestEnd {
    const { head, body, code } = innerError(error, forwarded, this.record.requestId);
    const hasBody = this.request.head.method !== 'HEAD';
    this.sealer.start(head, hasBody ? body.length : 0);
    if (hasBody) {
      this.sealer.write(body);
    }
    this.sealer.end();
    return { status: head.status, code, error };
  }

  /** Whether the request was sent to the upstream a second time. */
  get wasRepeated(): boolean {
    return this.exchange?.wasRepeated === true;
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    let head: ResponseHead;
    try {
      head = upstreamResponseHead(status, rawFields, this.settings.tunnelResponseHeaders);
      checkResponseHead(head);
      this.sealer.start(head, bodyBytesOf(head, this.request.head.method));
      this.record.sentStatus = status;
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

  onUpgrade(rawFields: readonly (string | Buffer)[], socket: Socket): void {
    try {
      this.request.upgrade?.accept(rawFields, socket);
      this.end.resolve({ status: SWITCHING_PROTOCOLS });
    } catch (cause) {
      resetConnection(socket);
      const failure = {
        kind: 'reset',
        wasSent: true,
        hasHead: true,
        cause: cause as Error,
      } as const;
      const error = upstreamError(failure);
      this.end.resolve({ ...this.respond(error, error.forwarded), error: cause });
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
      this.end.resolve(this.respond(cause, cause.forwarded));
    } else if (cause instanceof RelayError) {
      this.end.reject(cause);
    } else {
      const error = upstreamError(failure);
      this.end.resolve({ ...this.respond(error, error.forwarded), error: cause });
    }
  }
}
