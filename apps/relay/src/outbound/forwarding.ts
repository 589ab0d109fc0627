import { exchangeName, type RelayError } from '@relay/protocol';
import type { Dispatcher } from 'undici';

import { TunnelFailedError } from './outbound.errors.js';
import type { Peer, SessionSlot } from './peer.js';
import type { ReplayableBody } from './replayable-body.js';
import { isProvenUnforwarded, mayRetry } from './retry-rule.js';
import { TunnelAttempt, type AttemptContext, type AttemptOutcome } from './tunnel-attempt.js';
import { tunnelFailure, type FailedOutcome } from './tunnel-failure.js';

/** How a client's request ended, where its answer had begun. */
export interface ForwardingOutcome {
  readonly status?: number;
  /** Session and sequence number of the last attempt, as both relays log them. */
  readonly exchange: string;
  readonly attempt: number;
  /** Why the answer was cut off, where it was. */
  readonly error?: Error;
}

/** One client request on its way through the tunnel: one message, or two where protocol.md section 8 allows it. */
export class Forwarding {
  private current: TunnelAttempt | undefined;
  private abortReason: Error | undefined;
  /** Whether every attempt so far has provably not been executed. */
  private isUnforwarded = true;

  constructor(
    private readonly context: AttemptContext,
    private readonly body: ReplayableBody,
    private readonly peer: Peer,
    private readonly dispatcher: Dispatcher,
    private readonly retryUnsafeMethods: boolean,
  ) {}

  /**
   * @throws TunnelFailedError, or the reason given to `abort`; only while nothing was answered
   */
  async run(): Promise<ForwardingOutcome> {
    const whole = await this.body.wholeAtHand();
    for (let attempt = 1; ; attempt += 1) {
      // Before anything is waited for: what may be sent again now is kept from here on.
      const body = whole ?? this.body.chunks();
      const slot = await this.takeSlot();
      this.current = new TunnelAttempt(this.context, slot.session, slot.sequence);
      this.throwIfAborted();
      const outcome = await this.current.run(this.dispatcher, body);
      if (outcome.kind === 'answered' || outcome.kind === 'broken') {
        this.peer.reportReached();
        return this.outcomeOf(outcome, slot, attempt);
      }
      const isWithinLifetime = this.peer.isWithinLifetime(slot.session);
      this.isUnforwarded &&= isProvenUnforwarded(outcome, isWithinLifetime);
      this.updatePeer(outcome, slot, attempt);
      const retries = mayRetry(outcome, {
        method: this.context.request.head.method,
        attempt,
        isReplayable: this.body.isReplayable,
        isWithinLifetime,
        retryUnsafeMethods: this.retryUnsafeMethods,
      });
      if (!retries) {
        throw this.finalFailure(outcome);
      }
    }
  }

  /** The client has caught up. */
  resume(): void {
    this.current?.resume();
  }

  /** Gives up, whatever the phase. */
  abort(reason: Error): void {
    this.abortReason = reason;
    this.body.cancel(reason);
    this.current?.abort(reason);
  }

  private finalFailure(outcome: FailedOutcome): RelayError {
    const failure = tunnelFailure(outcome, this.isUnforwarded ? 'no' : 'maybe');
    const isUnreached = outcome.kind === 'failed' && !outcome.failure.wasSent;
    if (isUnreached && failure instanceof TunnelFailedError) {
      this.peer.reportUnreachable(failure);
    }
    return failure;
  }

  private throwIfAborted(): void {
    if (this.abortReason !== undefined) {
      throw this.abortReason;
    }
  }

  /** A failed pairing is not an attempt; but its "not forwarded" speaks for this moment, not for attempts before. */
  private async takeSlot(): Promise<SessionSlot> {
    try {
      return await this.peer.take();
    } catch (error) {
      if (error instanceof TunnelFailedError && !this.isUnforwarded) {
        const { code, message, retryAfter } = error;
        throw new TunnelFailedError(code, 'maybe', message, { cause: error, retryAfter });
      }
      throw error;
    }
  }

  private updatePeer(outcome: FailedOutcome, { session }: SessionSlot, attempt: number): void {
    if (outcome.kind === 'failed') {
      return;
    }
    this.peer.reportReached();
    if (outcome.kind === 'unproven') {
      this.peer.suspect();
    } else {
      const { status } = outcome.statement;
      if (status === 559 || status === 560 || (status === 562 && attempt > 1)) {
        this.peer.drop(session.sid);
      }
    }
  }

  private outcomeOf(
    outcome: Extract<AttemptOutcome, { kind: 'answered' | 'broken' }>,
    { session, sequence }: SessionSlot,
    attempt: number,
  ): ForwardingOutcome {
    const exchange = exchangeName({ sid: session.sid, sequence });
    return outcome.kind === 'answered'
      ? { status: outcome.status, exchange, attempt }
      : { exchange, attempt, error: outcome.cause };
  }
}
