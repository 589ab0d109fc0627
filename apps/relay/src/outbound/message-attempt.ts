import { randomBytes } from 'node:crypto';

import { rawFieldValues } from '@relay/fields';
import {
  Deferred,
  Exchange,
  isEventStream,
  type ExchangeEvents,
  type ExchangeFailure,
} from '@relay/http';
import {
  CLIENT_ID_HEADER,
  MAX_CONTENT_BYTES,
  MessageSealer,
  OUTER_REQUEST_FIELDS,
  RELAY_HEADER,
  SALT_BYTES,
  deriveRequestKey,
  deriveResponseKey,
  exchangeName,
  formatTunnelHeader,
  isResponseHeader,
} from '@relay/protocol';

import { isBufferLimit } from '../admission/admission.errors.js';
import { CONTENT_ENCODING, codedResponse } from '../peers/coded-response.js';
import { UnsignedStatusError } from '../peers/intermediary-response.js';
import type { SequenceReservation } from '../peers/peer-session.js';
import { clearCopies, outerPath } from './clear-copies.js';
import { ResponseOpener } from './response-opener.js';
import type {
  AttemptBody,
  AttemptContext,
  AttemptOutcome,
  TunnelAttempt,
} from './tunnel-attempt.js';

const FIELDS = Object.entries(OUTER_REQUEST_FIELDS).flat();

/** One message under one sequence number: sealed, sent, and its response opened. */
export class MessageAttempt implements TunnelAttempt, ExchangeEvents {
  private readonly relayHeader: string;
  private readonly clientIdHeader: string;
  private readonly sealer: MessageSealer;
  private readonly transfer: Exchange;
  private readonly outcome = new Deferred<AttemptOutcome>();
  private opener: ResponseOpener | undefined;
  /** Why the response is refused although it is being received. */
  private refusal: Error | undefined;
  private hasOpenedHead = false;
  private sentBytes = 0;
  private receivedBytes = 0;

  constructor(
    private readonly context: AttemptContext,
    private readonly body: AttemptBody,
    readonly reservation: SequenceReservation,
    private readonly connections: 'kept' | 'fresh',
  ) {
    const { session, sequence, replaces, ageSeconds } = reservation;
    const { type } = context.options;
    const fields = { sid: session.sid, sequence, replaces, ageSeconds, type };
    this.relayHeader = formatTunnelHeader(fields, randomBytes(SALT_BYTES));
    this.clientIdHeader = context.address.known.sign(this.relayHeader);
    this.sealer = new MessageSealer(deriveRequestKey(session.keys, this.relayHeader));
    this.transfer = new Exchange(context.limits, this);
  }

  get exchange(): string {
    const { session, sequence } = this.reservation;
    return exchangeName({ sid: session.sid, sequence });
  }

  get sealedBytes(): { readonly out: number; readonly in: number } {
    return { out: this.sentBytes, in: this.receivedBytes };
  }

  run(): Promise<AttemptOutcome> {
    const { body } = this;
    const { address, request, options, peerClient } = this.context;
    const { kept, fresh } = peerClient.connectionsTo(address);
    this.transfer.start(this.connections === 'kept' ? kept : fresh, {
      origin: address.origin,
      method: 'POST',
      path: outerPath(request.head, options),
      headers: [
        RELAY_HEADER,
        this.relayHeader,
        ...FIELDS,
        ...clearCopies(request.head, options),
        CLIENT_ID_HEADER,
        this.clientIdHeader,
      ],
      body: Buffer.isBuffer(body) ? this.sealWhole(body) : this.sealChunks(body),
      fresh,
    });
    return this.outcome.promise;
  }

  resume(): void {
    this.transfer.resume();
  }

  abort(reason: Error): void {
    this.transfer.abort(reason);
  }

  onHead(status: number, rawFields: readonly (string | Buffer)[]): void {
    const [relayHeader, another] = rawFieldValues(rawFields, RELAY_HEADER);
    const isSingle = relayHeader !== undefined && another === undefined;
    if (status === 200 && isSingle && isResponseHeader(relayHeader)) {
      const coded = codedResponse(rawFieldValues(rawFields, CONTENT_ENCODING));
      if (coded === undefined) {
        this.opener = this.openerFor(relayHeader);
      } else {
        this.outcome.resolve({ kind: 'unauthenticated', cause: coded });
        this.transfer.abort(coded);
      }
      return;
    }
    const signedError = isSingle
      ? this.context.address.known.verifyError(
          this.clientIdHeader,
          this.reservation.session.keys,
          relayHeader,
          status,
        )
      : undefined;
    const cause = new UnsignedStatusError(status);
    this.outcome.resolve(
      signedError === undefined
        ? { kind: 'unauthenticated', cause }
        : { kind: 'signed-error', signedError },
    );
    this.transfer.abort(cause);
  }

  onData(chunk: Buffer): boolean {
    this.receivedBytes += chunk.length;
    try {
      const isReady = this.opener?.push(chunk) ?? true;
      this.noteHead();
      return isReady;
    } catch (error) {
      this.refusal = error as Error;
      this.transfer.abort(this.refusal);
      return true;
    }
  }

  onEnd(): void {
    try {
      this.opener?.end();
      this.outcome.resolve({
        kind: 'completed',
        status: this.opener?.openedHead?.status ?? 0,
      });
    } catch (error) {
      this.giveUp({ kind: 'unauthenticated', cause: error as Error });
    }
  }

  onFailure(failure: ExchangeFailure): void {
    const { cause, hasHead } = failure;
    if (this.opener !== undefined) {
      const isForged = cause === this.refusal && !isBufferLimit(cause);
      this.giveUp(isForged ? { kind: 'unauthenticated', cause } : { kind: 'incomplete', failure });
    } else {
      this.outcome.resolve(
        hasHead ? { kind: 'unauthenticated', cause } : { kind: 'failed', failure },
      );
    }
  }

  /** The response's head, once it has been opened, proves that the peer has the session. */
  private noteHead(): void {
    const head = this.opener?.openedHead;
    if (head !== undefined && !this.hasOpenedHead) {
      this.hasOpenedHead = true;
      this.reservation.session.noteAlive(this.reservation.reservedAtMs);
      if (isEventStream(head.fields)) {
        this.transfer.allowSilence();
      }
    }
  }

  private openerFor(relayHeader: string): ResponseOpener {
    const { options, request, response, bufferBudget } = this.context;
    const { keys } = this.reservation.session;
    const key = deriveResponseKey(keys, this.relayHeader, relayHeader);
    return new ResponseOpener(key, options.type, request.head.method, response, bufferBudget);
  }

  /** The outer response has begun and cannot be completed. */
  private giveUp(
    outcome: Extract<AttemptOutcome, { kind: 'unauthenticated' | 'incomplete' }>,
  ): void {
    this.opener?.release();
    if (this.context.response.isStarted) {
      this.context.response.reset();
      const { cause } = outcome.kind === 'incomplete' ? outcome.failure : outcome;
      this.outcome.resolve({ kind: 'cut-off', cause });
    } else {
      this.outcome.resolve(outcome);
    }
  }

  private sealWhole(body: Buffer): Buffer {
    const { headBytes } = this.context.request;
    if (body.length === 0) {
      return this.counted(this.sealer.sealHead(headBytes, true));
    }
    const records = [this.sealer.sealHead(headBytes, false)];
    for (const [content, isLast] of recordContents(body)) {
      records.push(this.sealer.sealData(content, isLast));
    }
    return this.counted(Buffer.concat(records));
  }

  private async *sealChunks(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield this.counted(this.sealer.sealHead(this.context.request.headBytes, false));
    for await (const chunk of body) {
      for (const [content] of recordContents(chunk)) {
        yield this.counted(this.sealer.sealData(content, false));
      }
    }
    yield this.counted(this.sealer.sealData(Buffer.alloc(0), true));
  }

  private counted(sealed: Buffer): Buffer {
    this.sentBytes += sealed.length;
    return sealed;
  }
}

/** Cuts a chunk into parts that each fit into one record; the flag marks the last part. */
function* recordContents(chunk: Buffer): Generator<[content: Buffer, isLast: boolean]> {
  for (let at = 0; at < chunk.length; at += MAX_CONTENT_BYTES) {
    const end = at + MAX_CONTENT_BYTES;
    yield [chunk.subarray(at, end), end >= chunk.length];
  }
}
