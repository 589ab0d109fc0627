import { StreamCode, type Stream, type StreamEvents, type StreamFailure } from '@relay/channel';
import type { RelayError } from '@relay/errors';
import { fieldValue } from '@relay/fields';
import { BodyIdleError } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import type { RequestRecord } from '../telemetry/request-record.js';
import type { RequestEnd } from '../telemetry/request-reports.js';
import type { UpstreamClient } from '../upstream/upstream-client.js';
import type { UpstreamSettings } from '../upstream/upstream-settings.js';
import { UpstreamError } from '../upstream/upstream.errors.js';
import type { WantedUpgrade } from './opened-request.js';
import { MessageBrokenError, PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import { StreamBody } from './stream-body.js';
import { StreamResponse } from './stream-response.js';
import { UpstreamExchange } from './upstream-exchange.js';

/** A request that a stream has opened, as it was checked. */
export interface StreamRequest {
  readonly stream: Stream;
  readonly head: RequestHead;
  /** Bytes of the head as it was sealed. */
  readonly headBytes: number;
  /** Whether a body follows the head. */
  readonly hasBody: boolean;
  /** Why this relay responds to the request itself instead of forwarding it. */
  readonly refusal: RelayError | undefined;
  readonly record: RequestRecord;
  /** If an upgrade is asked for. */
  readonly upgrade?: WantedUpgrade;
}

/** One stream of a peer: its request, the exchange with the upstream that it causes, and its response. */
export class StreamExchange implements StreamEvents {
  private readonly stream: Stream;
  private readonly body: StreamBody;
  private readonly response: StreamResponse;
  private exchange: UpstreamExchange | undefined;
  private failure: Error | undefined;

  constructor(
    private readonly request: StreamRequest,
    private readonly settings: UpstreamSettings,
  ) {
    const { stream, head, hasBody, upgrade } = request;
    this.stream = stream;
    this.body = new StreamBody(stream, settings.idleTimeoutMs);
    this.response = new StreamResponse(stream);
    if (hasBody && upgrade !== undefined) {
      // More than the body will follow.
      return;
    }
    if (hasBody) {
      const stated = fieldValue(head.fields, 'content-length');
      stream.expect(stated === undefined ? undefined : Number(stated));
    } else {
      this.body.end();
    }
  }

  /** Whether the request may have been forwarded, or this relay responds itself. */
  get hasBegun(): boolean {
    return this.exchange !== undefined;
  }

  /** Whether the head of a response went back. */
  get hasResponded(): boolean {
    return this.response.isStarted;
  }

  /**
   * Forwards the request. To be called once the record with its head has been read, because small bodies come in the same one.
   *
   * @returns how the stream ended; it never rejects
   */
  async run(upstream: UpstreamClient): Promise<RequestEnd> {
    const { record, headBytes } = this.request;
    const end = await this.forward(upstream).catch((error: unknown) => this.giveUp(error));
    if (!this.body.hasEnded && end.status !== undefined) {
      this.stream.reset(StreamCode.NO_ERROR);
    }
    record.upstreamAttempt = this.exchange?.wasRepeated === true ? 2 : undefined;
    record.bytesIn = this.body.bytes;
    record.sealedIn = headBytes + this.body.bytes;
    record.bytesOut = this.response.bytes;
    record.sealedOut = this.response.sealedBytes;
    return end;
  }

  onData(octets: Buffer): boolean {
    return this.body.push(octets);
  }

  onEnd(): void {
    this.body.end();
  }

  onDrain(): void {
    this.exchange?.resume();
  }

  onUnwanted(): void {
    // Only the inbound relay says so.
  }

  onFailure(failure: StreamFailure, cause?: Error): void {
    this.failure = failureError(failure, cause);
    this.body.cancel(this.failure);
    this.exchange?.abort(this.failure);
  }

  private async forward(upstream: UpstreamClient): Promise<RequestEnd> {
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const { head, hasBody, refusal, record, upgrade } = this.request;
    const body = hasBody ? (this.body.takeWhole() ?? this.body) : undefined;
    const opened = {
      head,
      body,
      opener: this.body,
      ...(refusal === undefined ? {} : { refusal }),
      ...(upgrade === undefined ? {} : { upgrade }),
    };
    this.exchange = new UpstreamExchange(opened, this.response, this.settings, record);
    return this.exchange.run(upstream);
  }

  /** No response has begun. @returns what the peer was told instead */
  private giveUp(error: unknown): RequestEnd {
    if (error instanceof PeerGoneError) {
      return { code: error.code };
    }
    if (this.exchange === undefined) {
      this.stream.reset(StreamCode.PROTOCOL_ERROR);
    } else if (error instanceof BodyIdleError || error instanceof UpstreamError) {
      return this.exchange.respond(error, 'maybe');
    } else {
      this.stream.reset(StreamCode.INTERNAL_ERROR);
    }
    const isOwn = error instanceof MessageBrokenError || error instanceof ResponseUnencodableError;
    return { code: isOwn ? error.code : 'RELAY_INTERNAL', error };
  }
}

/** Why a stream cannot be served any more. */
function failureError(failure: StreamFailure, cause: Error | undefined): RelayError {
  if (failure === 'wrong-length') {
    const message = 'the body does not have the length that its head states';
    return new MessageBrokenError(message, { cause });
  }
  if (failure === 'discarded') {
    const message = 'the upstream reads too slowly: CHANNEL_BUFFER_BYTES is used up';
    return new UpstreamError('RELAY_UPSTREAM_STALLED', 'maybe', message, { cause });
  }
  if (failure === 'stalled') {
    return new PeerGoneError('the relay that sent the request does not take the response');
  }
  return new PeerGoneError('the relay that sent the request has given it up', { cause });
}
