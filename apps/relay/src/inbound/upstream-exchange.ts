import type { ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import {
  bodyBytesOf,
  isEventStream,
  type Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import { RelayError, checkResponseHead } from '@relay/protocol';

import type { UpstreamClient } from '../upstream/upstream-client.js';
import { upstreamError } from '../upstream/upstream.errors.js';
import { MessageBrokenError, PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import type { ReadMessage } from './message-reader.js';
import { SealedResponse } from './sealed-response.js';
import { responseHeadOf, innerError, type InnerError } from './upstream-answer.js';

/** How an exchange ended, for the log. */
export interface ExchangeOutcome {
  readonly status?: number | undefined;
  readonly code?: string;
  readonly error?: Error;
}

/** One marked message: its request to the upstream, and the sealed answer. Every outcome is an answer or a reset. */
export class UpstreamExchange implements ExchangeEvents {
  private readonly answer: SealedResponse;
  private exchange: Exchange | undefined;
  private method = '';
  private status: number | undefined;
  private settle: { resolve: (outcome: ExchangeOutcome) => void; reject: (e: Error) => void } =
    unsettled;

  constructor(
    key: Buffer,
    relayHeader: string,
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
    private readonly requestId: string,
  ) {
    this.answer = new SealedResponse(key, relayHeader, response, config.idleTimeoutMs, () => {
      this.exchange?.resume();
    });
  }

  /**
   * Forwards the message, or answers it in the upstream's place where it was refused.
   *
   * @returns how it ended, once the answer has been given or given up
   * @throws MessageBrokenError, ResponseUnencodableError where nothing was answered yet
   */
  async run(upstream: UpstreamClient, message: ReadMessage): Promise<ExchangeOutcome> {
    this.method = message.head.method;
    if (message.refusal !== undefined) {
      return this.answerError(innerError(message.refusal, 'no', this.requestId));
    }
    this.response.once('close', this.onPeerGone);
    try {
      return await new Promise((resolve, reject) => {
        this.settle = { resolve, reject };
        this.exchange = upstream.send(message.head, message.body, this);
        if (this.response.destroyed) {
          this.onPeerGone();
        }
      });
    } finally {
      this.response.off('close', this.onPeerGone);
      message.sealed.cancel(EXCHANGE_OVER);
    }
  }

  /** Of the answer's body, as it was written so far. */
  get bytesOut(): number {
    return this.answer.bytes;
  }

  /** Of the answer's message, as it was written so far. */
  get sealedBytesOut(): number {
    return this.answer.sealedBytes;
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    const head = responseHeadOf(status, rawFields, this.config.headers);
    try {
      checkResponseHead(head);
      this.answer.start(head, bodyBytesOf(head, this.method));
    } catch (cause) {
      this.exchange?.abort(new ResponseUnencodableError('no message can carry it', { cause }));
      return;
    }
    if (isEventStream(head.fields)) {
      this.exchange?.allowSilence();
    }
  }

  onData(chunk: Buffer): boolean {
    return this.answer.write(chunk);
  }

  onEnd(): void {
    try {
      this.answer.end();
      this.settle.resolve({ status: this.status });
    } catch (error) {
      // Not one record is left for the end of an answer whose length nobody knew.
      this.answer.reset();
      this.settle.resolve({ code: 'RELAY_UPSTREAM_FAILED', error: error as Error });
    }
  }

  onFailure(failure: ExchangeFailure): void {
    const { cause } = failure;
    if (cause instanceof PeerGoneError) {
      this.answer.reset();
      this.settle.resolve({ code: cause.code });
    } else if (this.answer.isStarted) {
      this.answer.reset();
      this.settle.resolve({ code: 'RELAY_UPSTREAM_FAILED', error: cause });
    } else if (cause instanceof ResponseUnencodableError) {
      this.settle.reject(cause);
    } else if (cause instanceof RelayError) {
      this.settle.reject(new MessageBrokenError('the message broke off', { cause }));
    } else {
      const error = upstreamError(failure);
      const answer = innerError(error, error.forwarded, this.requestId);
      this.settle.resolve({ ...this.answerError(answer), error: cause });
    }
  }

  private readonly onPeerGone = (): void => {
    if (!this.response.writableFinished) {
      this.exchange?.abort(new PeerGoneError('the relay that sent the message has gone away'));
    }
  };

  private answerError({ head, body, code }: InnerError): ExchangeOutcome {
    const hasBody = this.method !== 'HEAD';
    this.answer.start(head, hasBody ? body.length : 0);
    if (hasBody) {
      this.answer.write(body);
    }
    this.answer.end();
    return { status: head.status, code };
  }
}

/** Made once: a stack a request costs more than the rest of its end. */
const EXCHANGE_OVER = new PeerGoneError('the exchange is over');

const unsettled = { resolve: (): void => undefined, reject: (): void => undefined };
