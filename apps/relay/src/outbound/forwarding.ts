import { isClientGone } from '@relay/http';
import { exchangeName, type RelayError } from '@relay/protocol';
import type { Dispatcher } from 'undici';

import type { RequestFacts } from '../observability/request-facts.js';
import { TunnelFailedError } from './outbound.errors.js';
import type { Peer, SessionSlot } from './peer.js';
import type { ReplayableBody } from './replayable-body.js';
import { isProvenUnforwarded, mayRetry } from './retry-rule.js';
import { TunnelAttempt, type AttemptContext, type AttemptOutcome } from './tunnel-attempt.js';
import { tunnelFailure, type FailedOutcome } from './tunnel-failure.js';

/** How a client's request ended, where its answer had begun. */
export interface ForwardingOutcome {
  readonly status?: number;
  /** Why the answer was cut off, where it was. */
  readonly error?: Error;
}

/** One client request on its way through the tunnel: one message, or two where protocol.md section 8 allows it. */
export class Forwarding {
  private current: TunnelAttempt | undefined;
  private attempts = 0;
  /** Session and sequence number of the last attempt, as both relays log them. */
  private exchange: string | undefined;
  private readonly sealedBefore = { out: 0, in: 0 };
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
   * @throws TunnelFailedError while nothing was answered; the reason given to `abort`, or BodyAbortedError, at any time
   */
  async run(): Promise<ForwardingOutcome> {
    const whole = await this.body.wholeAtHand();
    for (let attempt = 1; ; attempt += 1) {
      // Before anything is waited for: what may be sent again now is kept from here on.
      const body = whole ?? this.body.chunks();
      const slot = await this.takeSlot();
      const current = this.begin(slot);
      this.throwIfAborted();
      const outcome = await current.run(this.dispatcher, body);
      const cause = causeOf(outcome);
      if (isClientGone(cause)) {
        // Whatever had begun by then: it was not the other relay that broke it off.
        throw cause;
      }
      if (outcome.kind === 'answered' || outcome.kind === 'broken') {
        this.peer.reportReached();
        return outcome.kind === 'answered' ? { status: outcome.status } : { error: outcome.cause };
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
      this.explain(outcome, retries);
      if (!retries) {
        throw this.finalFailure(outcome);
      }
    }
  }

  /** What its attempts say of the request: of the last one, and of all together. */
  get facts(): RequestFacts {
    if (this.attempts === 0) {
      return {};
    }
    const { exchange, attempts: attempt, sealedBefore } = this;
    const { out = 0, in: received = 0 } = this.current?.sealedBytes ?? {};
    const sealedOut = sealedBefore.out + out;
    const sealedIn = sealedBefore.in + received;
    return { exchange, attempt, sealedOut, sealedIn };
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

  private begin({ session, sequence }: SessionSlot): TunnelAttempt {
    const { out = 0, in: received = 0 } = this.current?.sealedBytes ?? {};
    this.sealedBefore.out += out;
    this.sealedBefore.in += received;
    this.attempts += 1;
    this.exchange = exchangeName({ sid: session.sid, sequence });
    this.current = new TunnelAttempt(this.context, session, sequence);
    const { log, requestId, origin: peer, options } = this.context;
    const { exchange, attempts: attempt } = this;
    log.debug('sealing a message', {
      requestId,
      peer,
      exchange,
      attempt,
      reason: options.type,
    });
    return this.current;
  }

  /** For whoever wonders why a request went out twice, or did not. */
  private explain(outcome: FailedOutcome, retries: boolean): void {
    const { log, requestId, origin: peer } = this.context;
    log.debug(retries ? 'sending once more' : 'not sending once more', {
      requestId,
      peer,
      exchange: this.exchange,
      attempt: this.attempts,
      reason: reasonOf(outcome),
      forwarded: this.isUnforwarded ? 'no' : 'maybe',
      error: causeOf(outcome),
    });
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
    } else if (outcome.kind === 'stated') {
      const { status } = outcome.statement;
      if (status === 559 || status === 560 || (status === 562 && attempt > 1)) {
        this.peer.drop(session.sid);
      }
    }
  }
}

function reasonOf(outcome: FailedOutcome): string {
  switch (outcome.kind) {
    case 'failed':
      return `no answer: ${outcome.failure.kind}`;
    case 'unfinished':
      return `an answer without an end: ${outcome.failure.kind}`;
    case 'stated':
      return `the other relay stated ${outcome.statement.status}`;
    case 'unproven':
      return 'an answer that proves nothing';
  }
}

function causeOf(outcome: AttemptOutcome): Error | undefined {
  switch (outcome.kind) {
    case 'failed':
    case 'unfinished':
      return outcome.failure.cause;
    case 'broken':
    case 'unproven':
      return outcome.cause;
    case 'answered':
    case 'stated':
      return undefined;
  }
}
