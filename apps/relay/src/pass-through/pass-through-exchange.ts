import type { IncomingMessage, ServerResponse } from 'node:http';

import type { RelayConfig } from '@relay/config';
import {
  BodyReader,
  ClientGoneError,
  ResponseSink,
  clientFields,
  forwardedFields,
  isClientGone,
  isEventStream,
  type Exchange,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import type { UpstreamClient } from '../upstream/upstream-client.js';
import { upstreamError } from '../upstream/upstream.errors.js';

/** One plain request to the upstream and its plain answer, streamed both ways. */
export class PassThroughExchange implements ExchangeEvents {
  private readonly sink: ResponseSink;
  private readonly body: BodyReader;
  private exchange: Exchange | undefined;
  private headTimer: NodeJS.Immediate | undefined;
  private status = 0;
  private settle: { resolve: (status: number) => void; reject: (error: Error) => void } = unsettled;

  constructor(
    request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly config: RelayConfig,
  ) {
    this.body = new BodyReader(request, config.idleTimeoutMs);
    this.sink = new ResponseSink(response, config.idleTimeoutMs, () => {
      this.exchange?.resume();
    });
  }

  /**
   * @param hasBody - whether the request is framed as having one
   * @returns the status of the answer, once it has been given
   * @throws UpstreamError, ClientGoneError, BodyAbortedError
   */
  async run(upstream: UpstreamClient, head: RequestHead, hasBody: boolean): Promise<number> {
    const onClose = (): void => {
      if (!this.response.writableFinished) {
        this.exchange?.abort(new ClientGoneError('the client has gone away'));
      }
    };
    this.response.once('close', onClose);
    try {
      return await new Promise((resolve, reject) => {
        this.settle = { resolve, reject };
        this.exchange = upstream.send(head, hasBody ? this.body : undefined, this);
      });
    } finally {
      this.response.off('close', onClose);
      this.body.cancel(EXCHANGE_OVER);
    }
  }

  /** Of both bodies, as they were read and written so far. */
  get bytes(): { readonly bytesIn: number; readonly bytesOut: number } {
    return { bytesIn: this.body.bytes, bytesOut: this.sink.bytes };
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    const fields = forwardedFields(rawFields);
    if (isEventStream(fields)) {
      this.exchange?.allowSilence();
    }
    this.sink.start(status, clientFields(fields, this.config));
    // A body that is here within a turn of the event loop leaves in the same write.
    this.headTimer = setImmediate(() => {
      this.sink.flushHead();
    });
  }

  onData(chunk: Buffer): boolean {
    clearImmediate(this.headTimer);
    return this.sink.write(chunk);
  }

  onEnd(): void {
    clearImmediate(this.headTimer);
    this.sink.end();
    this.settle.resolve(this.status);
  }

  onFailure(failure: ExchangeFailure): void {
    clearImmediate(this.headTimer);
    if (this.sink.isStarted) {
      this.sink.reset();
    }
    const { cause } = failure;
    this.settle.reject(isClientGone(cause) ? cause : upstreamError(failure));
  }
}

/** Made once: a stack a request costs more than the rest of its end. */
const EXCHANGE_OVER = new ClientGoneError('the exchange is over');

const unsettled = { resolve: (): void => undefined, reject: (): void => undefined };
