import type { ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { fieldValue, type Exchange, type ExchangeEvents, type ExchangeFailure } from '@relay/http';
import { RelayError, checkResponseHead, type RequestHead } from '@relay/protocol';

import { MessageBrokenError, PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import { SealedResponse } from './sealed-response.js';
import type { SealedRequest } from './sealed-request.js';
import {
  bodyBytesOf,
  responseHeadOf,
  upstreamFailure,
  type InnerError,
} from './upstream-answer.js';
import type { UpstreamClient } from './upstream-client.js';

export interface ForwardedRequest {
  readonly head: RequestHead;
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
  /** Where the body comes from: told to stop when nobody wants it any more. */
  readonly sealed: SealedRequest;
}

/** How an exchange ended, for the log. */
export interface ExchangeOutcome {
  readonly status?: number;
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
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
    private readonly requestId: string,
  ) {
    this.answer = new SealedResponse(key, response, config.idleTimeoutMs, () => {
      this.exchange?.resume();
    });
  }

  /**
   * @returns how it ended, once the answer has been given or given up
   * @throws MessageBrokenError, ResponseUnencodableError where nothing was answered yet
   */
  async forward(upstream: UpstreamClient, request: ForwardedRequest): Promise<ExchangeOutcome> {
    const { head, body, sealed } = request;
    this.method = head.method;
    const onPeerGone = (): void => {
      if (!this.response.writableFinished) {
        this.exchange?.abort(new PeerGoneError('the relay that sent the message has gone away'));
      }
    };
    try {
      return await new Promise((resolve, reject) => {
        this.settle = { resolve, reject };
        this.response.once('close', onPeerGone);
        const framed = Buffer.isBuffer(body) && !statesLength(head) ? inOnePiece(body) : body;
        this.exchange = upstream.send(head, framed, this);
        if (this.response.destroyed) {
          onPeerGone();
        }
      });
    } finally {
      this.response.off('close', onPeerGone);
      sealed.cancel(new PeerGoneError('the exchange is over'));
    }
  }

  /** Answers in the upstream's place. */
  refuse(error: InnerError): Promise<ExchangeOutcome> {
    this.answerError(error);
    return Promise.resolve({ status: error.head.status, code: error.code });
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
    if (fieldValue(head.fields, 'content-type')?.startsWith('text/event-stream') === true) {
      this.exchange?.allowSilence();
    }
  }

  onData(chunk: Buffer): boolean {
    return this.answer.write(chunk);
  }

  onEnd(): void {
    this.answer.end();
    this.settle.resolve({ ...(this.status === undefined ? {} : { status: this.status }) });
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
      const error = upstreamFailure(failure, this.requestId);
      this.answerError(error);
      this.settle.resolve({ status: error.head.status, code: error.code, error: cause });
    }
  }

  private answerError({ head, body }: InnerError): void {
    this.answer.start(head, this.method === 'HEAD' ? 0 : body.length);
    if (this.method !== 'HEAD') {
      this.answer.write(body);
    }
    this.answer.end();
  }
}

const unsettled = { resolve: (): void => undefined, reject: (): void => undefined };

function statesLength(head: RequestHead): boolean {
  return fieldValue(head.fields, 'content-length') !== undefined;
}

/** undici frames a Buffer by its length; a body whose head states none has to go out chunked. */
// eslint-disable-next-line @typescript-eslint/require-await
async function* inOnePiece(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}
