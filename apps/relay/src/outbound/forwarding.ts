import type { ServerResponse } from 'node:http';

import { RelayStatus, type RelayError } from '@relay/errors';
import { isClientGone, isSafeMethod } from '@relay/http';

import type { PeerChannel } from '../peers/peer-channel.js';
import type { SequenceReservation } from '../peers/peer-session.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import { withChannel } from './channel-choice.js';
import { ClientResponse } from './client-response.js';
import { isWhollySealed } from './encode-options.js';
import type { ForwardingContext, ForwardingOutcome } from './forwarding-context.js';
import { MessageAttempt } from './message-attempt.js';
import { causeOf, reasonOf } from './outcome-reason.js';
import type { ReplayableBody } from './replayable-body.js';
import { isProvenUnforwarded, mayGoElsewhere, retryOf, type Retry } from './retry-rule.js';
import { StreamAttempt } from './stream-attempt.js';
import type {
  AttemptBody,
  AttemptContext,
  AttemptOutcome,
  TunnelAttempt,
} from './tunnel-attempt.js';
import { endTracedAttempt, tracedAttempt } from './traced-attempt.js';
import { tunnelFailure, type FailedOutcome } from './tunnel-failure.js';

/** One client request on its way through the tunnel: one message or stream, or two if protocol.md section 8 allows it. */
export class Forwarding {
  private readonly attemptContext: AttemptContext;
  private current: TunnelAttempt | undefined;
  /** How the last attempt ended; undefined until it has, and if what precedes an attempt failed. */
  private lastOutcome: AttemptOutcome | undefined;
  private attempts = 0;
  private readonly earlierSealedBytes = { out: 0, in: 0 };
  private abortReason: Error | undefined;
  /** Whether all attempts so far have provably not been forwarded, and never will be. */
  private isUnforwarded = true;
  /** How many channels had been opened when a stream of this request failed: the others may lead to the same lost process. */
  private staleChannels = 0;

  constructor(
    private readonly context: ForwardingContext,
    private readonly body: ReplayableBody,
    rawResponse: ServerResponse,
  ) {
    const { config, record, peer } = context;
    const response = new ClientResponse(rawResponse, config, record.requestId, () => {
      this.current?.resume();
    });
    const { request, options, peerClient, bufferBudget, limits } = context;
    // Named one by one: to spread objects costs more than all else that is done here.
    const { address } = peer;
    this.attemptContext = {
      address,
      request,
      options,
      response,
      peerClient,
      bufferBudget,
      limits,
    };
  }

  /**
   * Carries the request, and fills in its record.
   *
   * @throws TunnelFailedError before the response has begun; the reason given to `abort`, or BodyAbortedError, at any time
   */
  async run(): Promise<ForwardingOutcome> {
    try {
      return await this.attempt();
    } finally {
      this.context.channels.notePlace();
      this.fillIn(this.context.record);
    }
  }

  /** Gives up, whatever the phase. */
  abort(reason: Error): void {
    this.abortReason = reason;
    this.body.cancel(reason);
    this.current?.abort(reason);
  }

  /** Whether another origin of the peer may be asked, after `run` has thrown: nothing was forwarded here, and never will be. */
  get mayGoElsewhere(): boolean {
    const { request, config } = this.context;
    return (
      this.abortReason === undefined &&
      this.isUnforwarded &&
      this.body.isReplayable &&
      mayGoElsewhere(this.lastOutcome, {
        method: request.head.method,
        retryUnsafeMethods: config.retryUnsafeMethods,
      })
    );
  }

  /** Sends the request, and again for as long as the retry rule allows it. */
  private async attempt(): Promise<ForwardingOutcome> {
    const whole = this.body.isBegun ? undefined : await this.body.wholeAtHand();
    let replaced: SequenceReservation | undefined;
    for (;;) {
      // Called before anything is awaited: from this call on, everything that this attempt has to send is kept.
      const body = whole ?? this.body.chunks();
      this.lastOutcome = undefined;
      const attempt = await this.begin(body, replaced);
      const outcome = await attempt.run();
      this.lastOutcome = outcome;
      endTracedAttempt(this.context.record, outcome, this.attemptContext.response.status);
      this.context.record.exchange = attempt.exchange;
      const cause = causeOf(outcome);
      if (isClientGone(cause)) {
        // Whatever had begun by then, the other relay did not cause it to end.
        throw cause;
      }
      if (outcome.kind === 'completed' || outcome.kind === 'cut-off') {
        this.context.peer.reachability.reportReached();
        return outcome.kind === 'completed' ? { status: outcome.status } : { error: outcome.cause };
      }
      const retry = this.judge(outcome, attempt);
      if (retry === 'none') {
        throw this.finalFailure(outcome);
      }
      replaced = retry === 'replacing' ? attempt.reservation : undefined;
    }
  }

  /** Evaluates a failed attempt. @returns whether and how the request may be sent again */
  private judge(outcome: FailedOutcome, { reservation }: TunnelAttempt): Retry {
    const { peer, channels, config, request, hasOtherOrigin } = this.context;
    const coversEarlier = reservation?.replaces !== undefined && outcome.kind === 'signed-error';
    // The peer consumes both numbers at once: what it signs about a replacement holds for the message that was replaced, too.
    this.isUnforwarded = isProvenUnforwarded(outcome) && (this.isUnforwarded || coversEarlier);
    if (reservation === undefined) {
      this.staleChannels = channels.openedCount;
    }
    this.updatePeer(outcome, reservation);
    const retry = retryOf(outcome, {
      method: request.head.method,
      attempt: this.attempts,
      isReplayable: this.body.isReplayable,
      isReplaceable: reservation !== undefined && peer.canReplace(reservation),
      retryUnsafeMethods: config.retryUnsafeMethods,
      hasOtherOrigin,
    });
    this.explain(outcome, retry);
    return retry;
  }

  /** Reserves the sequence number of the next attempt. */
  private async reserve(replaced?: SequenceReservation): Promise<SequenceReservation> {
    const { peer, request, network } = this.context;
    try {
      if (replaced !== undefined) {
        return peer.replace(replaced);
      }
      // A second message has a session that the first has shown to be alive, or to be gone.
      const isFirstMessage = this.current?.reservation === undefined;
      return isFirstMessage && !isSafeMethod(request.head.method)
        ? await peer.reserveChecked(network)
        : await peer.reserve(network);
    } catch (error) {
      throw this.withEarlier(error);
    }
  }

  /** A failed pairing, check or channel is not an attempt, so its "not forwarded" does not cover the attempts before it. */
  private withEarlier(error: unknown): unknown {
    if (error instanceof TunnelFailedError && !this.isUnforwarded) {
      const { code, message, retryAfter } = error;
      return new TunnelFailedError(code, 'maybe', message, { cause: error, retryAfter });
    }
    return error;
  }

  /**
   * Makes the next attempt: on a channel that has a place, unless something has to be a message. After a stream has failed, only on a
   * channel that was opened since, because one process of the peer often has several channels, and all of them end with it.
   */
  private async begin(body: AttemptBody, replaced?: SequenceReservation): Promise<TunnelAttempt> {
    const { options, channels, peer } = this.context;
    this.throwIfAborted();
    if (replaced === undefined && isWhollySealed(options)) {
      if (peer.known.entry.transport === 'channel') {
        try {
          return await withChannel(this.context, this.staleChannels, (channel) =>
            this.beginStream(channel, body),
          );
        } catch (error) {
          throw this.withEarlier(error);
        }
      }
      const channel = channels.take(this.staleChannels);
      if (channel !== undefined) {
        return this.beginStream(channel, body);
      }
    }
    const reservation = await this.reserve(replaced);
    this.throwIfAborted();
    const connections = this.attempts === 0 ? 'kept' : 'fresh';
    const attempt = new MessageAttempt(this.traced('message'), body, reservation, connections);
    return this.started(attempt, options.type);
  }

  /** Uses the place that the channel has in this turn. */
  private beginStream(channel: PeerChannel, body: AttemptBody): TunnelAttempt {
    this.throwIfAborted();
    return this.started(new StreamAttempt(this.traced('channel'), channel, body), 'stream');
  }

  private traced(transport: 'message' | 'channel'): AttemptContext {
    return tracedAttempt(this.attemptContext, this.context.record, transport);
  }

  private started(attempt: TunnelAttempt, reason: string): TunnelAttempt {
    const { record, log, peer } = this.context;
    const { out = 0, in: received = 0 } = this.current?.sealedBytes ?? {};
    this.earlierSealedBytes.out += out;
    this.earlierSealedBytes.in += received;
    this.attempts += 1;
    this.current = attempt;
    // Those at other origins of the peer count as well.
    record.attempt = (record.attempt ?? 0) + 1;
    record.exchange = attempt.exchange;
    log.debug('sealing a message', {
      requestId: record.requestId,
      peer: peer.origin,
      exchange: record.exchange,
      attempt: record.attempt,
      reason,
    });
    return attempt;
  }

  private throwIfAborted(): void {
    if (this.abortReason !== undefined) {
      throw this.abortReason;
    }
  }

  private updatePeer(outcome: FailedOutcome, reservation?: SequenceReservation): void {
    const { peer } = this.context;
    if (outcome.kind === 'failed' || reservation === undefined) {
      return;
    }
    const { sid } = reservation.session;
    peer.reachability.reportReached();
    if (outcome.kind === 'unauthenticated') {
      peer.suspect();
    } else if (outcome.kind === 'signed-error' && this.endsSession(outcome.signedError.status)) {
      peer.drop(sid);
    }
  }

  /** A peer that cannot decode one message may be able to decode the next. If it fails again, the session is of no use. */
  private endsSession(status: number): boolean {
    return (
      status === RelayStatus.SESSION_EXPIRED ||
      status === RelayStatus.SESSION_UNKNOWN ||
      (status === RelayStatus.DECODE_FAILED && this.attempts > 1)
    );
  }

  /** Logs why a request was sent twice, or was not. */
  private explain(outcome: FailedOutcome, retry: Retry): void {
    const { log, record, peer } = this.context;
    log.debug(retry === 'none' ? 'not sending again' : 'sending again', {
      requestId: record.requestId,
      peer: peer.origin,
      exchange: record.exchange,
      attempt: record.attempt,
      reason: reasonOf(outcome),
      forwarded: this.isUnforwarded ? 'no' : 'maybe',
      error: causeOf(outcome),
    });
  }

  private finalFailure(outcome: FailedOutcome): RelayError {
    const failure = tunnelFailure(outcome, this.isUnforwarded ? 'no' : 'maybe');
    // A stream that was not sent only waited for its channel.
    const isMessage = this.current?.reservation !== undefined;
    const wasNotSent = isMessage && outcome.kind === 'failed' && !outcome.failure.wasSent;
    if (wasNotSent && failure instanceof TunnelFailedError) {
      this.context.peer.reachability.reportUnreachable(failure);
    }
    return failure;
  }

  private fillIn(record: RequestRecord): void {
    record.bytesIn = this.body.bytes;
    record.bytesOut = this.attemptContext.response.bytes;
    if (this.current !== undefined) {
      const { out, in: received } = this.current.sealedBytes;
      record.sealedOut = (record.sealedOut ?? 0) + this.earlierSealedBytes.out + out;
      record.sealedIn = (record.sealedIn ?? 0) + this.earlierSealedBytes.in + received;
    }
  }
}
