import type { Socket } from 'node:net';

import { RelayError } from '@relay/errors';
import type { Exchange, ExchangeEvents, ExchangeFailure } from '@relay/http';

import type { CallTrace } from '../traces/tracer.js';
import { upstreamError } from './upstream.errors.js';

const SWITCHING_PROTOCOLS = 101;

/** The events of an exchange with the upstream, which end the span of the call as well. */
export class TracedExchange implements ExchangeEvents {
  /** Set once there is one, which is before any event. */
  exchange: Exchange | undefined;
  private status: number | undefined;

  constructor(
    private readonly events: ExchangeEvents,
    private readonly call: CallTrace,
  ) {}

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    this.status = status;
    this.events.onHead(status, rawFields);
  }

  onData(chunk: Buffer): boolean {
    return this.events.onData(chunk);
  }

  onEnd(): void {
    this.end(undefined);
    this.events.onEnd();
  }

  onFailure(failure: ExchangeFailure): void {
    const { cause } = failure;
    this.end(cause instanceof RelayError ? cause.code : upstreamError(failure).code);
    this.events.onFailure(failure);
  }

  onUpgrade(rawFields: readonly (string | Buffer)[], socket: Socket): void {
    this.status = SWITCHING_PROTOCOLS;
    this.end(undefined);
    this.events.onUpgrade?.(rawFields, socket);
  }

  private end(code: string | undefined): void {
    this.call.end({
      status: this.status,
      code,
      attributes: {
        'http.request.resend_count': this.exchange?.wasRepeated === true ? 1 : undefined,
      },
    });
  }
}
