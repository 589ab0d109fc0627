import { randomBytes } from 'node:crypto';

import {
  Exchange,
  isEventStream,
  isHoldLimit,
  rawFieldValues,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import type { ExchangeLimits, HoldBudget } from '@relay/http';
import {
  MAX_CONTENT_BYTES,
  MessageSealer,
  RELAY_HEADER,
  SALT_BYTES,
  deriveRequestKey,
  deriveResponseKey,
  formatTunnelHeader,
  isResponseHeader,
} from '@relay/protocol';
import { signedClientIdHeader, verifyError, type ErrorStatement } from '@relay/signature';
import type { SecretKeys } from '@relay/protocol';
import type { Dispatcher } from 'undici';

import type { RelayLog } from '../observability/relay-log.js';
import type { ClientAnswer } from './client-answer.js';
import { clearCopies, outerPath } from './clear-copies.js';
import type { ClientRequest } from '../client-request.js';
import type { EncodeOptions } from './encode-options.js';
import type { PeerSession } from './peer-session.js';
import { SealedAnswer } from './sealed-answer.js';

/** How one attempt ended. */
export type AttemptOutcome =
  /** The client has its whole answer. */
  | { readonly kind: 'answered'; readonly status: number }
  /** The client's answer had begun and was reset. */
  | { readonly kind: 'broken'; readonly cause: Error }
  /** A signed error, bound to this very message. */
  | { readonly kind: 'stated'; readonly statement: ErrorStatement }
  /** An outer answer that is neither sealed nor signed: it proves nothing. */
  | { readonly kind: 'unproven'; readonly cause: Error }
  /** A sealed answer that did not come to its end, or is more than this relay holds: nothing speaks against its sender. */
  | { readonly kind: 'unfinished'; readonly failure: ExchangeFailure }
  /** No outer answer. */
  | { readonly kind: 'failed'; readonly failure: ExchangeFailure };

/** What all attempts at one client request share. */
export interface AttemptContext {
  readonly requestId: string;
  readonly log: RelayLog;
  readonly origin: string;
  readonly request: ClientRequest;
  readonly options: EncodeOptions;
  readonly secretKeys: SecretKeys;
  readonly answer: ClientAnswer;
  readonly holdBudget: HoldBudget;
  readonly limits: ExchangeLimits;
}

/** One message under one sequence number: sealed, sent, and its answer opened. */
export class TunnelAttempt implements ExchangeEvents {
  private readonly relayHeader: string;
  private readonly headers: string[];
  private readonly sealer: MessageSealer;
  private readonly exchange: Exchange;
  private sealed: SealedAnswer | undefined;
  /** Why what came of the answer is refused. */
  private refusal: Error | undefined;
  private sentBytes = 0;
  private receivedBytes = 0;
  private settle: (outcome: AttemptOutcome) => void = () => undefined;

  constructor(
    private readonly context: AttemptContext,
    private readonly session: PeerSession,
    readonly sequence: number,
  ) {
    const { options, request } = context;
    this.relayHeader = formatTunnelHeader(
      session.sid,
      sequence,
      options.type,
      randomBytes(SALT_BYTES),
    );
    this.headers = [
      RELAY_HEADER,
      this.relayHeader,
      'content-type',
      'application/octet-stream',
      'cache-control',
      'no-store',
      ...clearCopies(request.head, options),
    ];
    this.sealer = new MessageSealer(deriveRequestKey(session.keys, this.relayHeader));
    this.exchange = new Exchange(context.limits, this);
  }

  /** Of the message as it was sealed so far, and of its answer as it came so far. */
  get sealedBytes(): { readonly out: number; readonly in: number } {
    return { out: this.sentBytes, in: this.receivedBytes };
  }

  /** @param body - whole, in pieces, or undefined where there is none */
  run(
    dispatcher: Dispatcher,
    body: Buffer | AsyncIterable<Buffer> | undefined,
  ): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.exchange.start(dispatcher, {
        origin: this.context.origin,
        method: 'POST',
        path: outerPath(this.context.request.head, this.context.options),
        headers: this.headers,
        body:
          body === undefined || Buffer.isBuffer(body)
            ? this.sealWhole(body)
            : this.sealPieces(body),
      });
    });
  }

  /** Lets the peer go on after the client has caught up. */
  resume(): void {
    this.exchange.resume();
  }

  abort(reason: Error): void {
    this.exchange.abort(reason);
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    const [relayHeader, another] = rawFieldValues(rawFields, RELAY_HEADER);
    const isSingle = relayHeader !== undefined && another === undefined;
    if (status === 200 && isSingle && isResponseHeader(relayHeader)) {
      this.sealed = new SealedAnswer(
        deriveResponseKey(this.session.keys, this.relayHeader, relayHeader),
        this.context.options.type,
        this.context.request.head.method,
        this.context.answer,
        this.context.holdBudget,
      );
      return;
    }
    const statement = isSingle
      ? verifyError(
          this.context.secretKeys,
          signedClientIdHeader(this.headers),
          relayHeader,
          status,
        )
      : undefined;
    const cause = new Error(`the other relay's address answered with status ${status}`);
    this.settle(
      statement === undefined ? { kind: 'unproven', cause } : { kind: 'stated', statement },
    );
    this.exchange.abort(cause);
  }

  onData(chunk: Buffer): boolean {
    this.receivedBytes += chunk.length;
    try {
      const isReady = this.sealed?.push(chunk) ?? true;
      if (this.isEventStream()) {
        this.exchange.allowSilence();
      }
      return isReady;
    } catch (error) {
      this.refusal = error as Error;
      this.exchange.abort(this.refusal);
      return true;
    }
  }

  onEnd(): void {
    try {
      this.sealed?.end();
      this.settle({ kind: 'answered', status: this.sealed?.openedHead?.status ?? 0 });
    } catch (error) {
      this.giveUp({ kind: 'unproven', cause: error as Error });
    }
  }

  onFailure(failure: ExchangeFailure): void {
    const { cause, hasHead } = failure;
    if (this.sealed !== undefined) {
      const isForged = cause === this.refusal && !isHoldLimit(cause);
      this.giveUp(isForged ? { kind: 'unproven', cause } : { kind: 'unfinished', failure });
    } else {
      this.settle(hasHead ? { kind: 'unproven', cause } : { kind: 'failed', failure });
    }
  }

  /** The outer answer has begun and cannot be finished. */
  private giveUp(outcome: Extract<AttemptOutcome, { kind: 'unproven' | 'unfinished' }>): void {
    this.sealed?.release();
    if (this.context.answer.isStarted) {
      this.context.answer.reset();
      const { cause } = outcome.kind === 'unfinished' ? outcome.failure : outcome;
      this.settle({ kind: 'broken', cause });
    } else {
      this.settle(outcome);
    }
  }

  private sealWhole(body: Buffer | undefined): Buffer {
    const { headBytes } = this.context.request;
    if (body === undefined || body.length === 0) {
      return this.counted(this.sealer.sealHead(headBytes, true));
    }
    const records = [this.sealer.sealHead(headBytes, false)];
    for (const [content, isLast] of inRecords(body)) {
      records.push(this.sealer.sealData(content, isLast));
    }
    return this.counted(Buffer.concat(records));
  }

  private async *sealPieces(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield this.counted(this.sealer.sealHead(this.context.request.headBytes, false));
    for await (const piece of body) {
      for (const [content] of inRecords(piece)) {
        yield this.counted(this.sealer.sealData(content, false));
      }
    }
    yield this.counted(this.sealer.sealData(Buffer.alloc(0), true));
  }

  private counted(sealed: Buffer): Buffer {
    this.sentBytes += sealed.length;
    return sealed;
  }

  private isEventStream(): boolean {
    return isEventStream(this.sealed?.openedHead?.fields ?? []);
  }
}

/** Cuts what came in one piece into what one record holds; the flag marks the last cut. */
function* inRecords(piece: Buffer): Generator<[content: Buffer, isLast: boolean]> {
  for (let at = 0; at < piece.length; at += MAX_CONTENT_BYTES) {
    const end = at + MAX_CONTENT_BYTES;
    yield [piece.subarray(at, end), end >= piece.length];
  }
}
