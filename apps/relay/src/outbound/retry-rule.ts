import { RelayStatus } from '@relay/errors';

import type { AttemptOutcome } from './tunnel-attempt.js';

/** Idempotent methods, whose effect is the same once or twice. protocol.md section 8, rule (c). */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What decides, besides the outcome, whether a request may be sent again. */
export interface RetryCircumstances {
  readonly method: string;
  /** Number of the attempt that ended, from 1. */
  readonly attempt: number;
  /** Whether the whole body so far is still in the replay buffer. */
  readonly isReplayable: boolean;
  /** Whether the session was within its lifetime when the outcome was received. */
  readonly isWithinLifetime: boolean;
  /** RETRY_UNSAFE_METHODS. */
  readonly retryUnsafeMethods: boolean;
}

const MAX_ATTEMPTS = 2;

/** Whether an attempt proves that its message was not forwarded and never will be. */
export function isProvenUnforwarded(outcome: AttemptOutcome, isWithinLifetime: boolean): boolean {
  switch (outcome.kind) {
    case 'failed':
      return !outcome.failure.wasSent;
    case 'signed-error':
      return outcome.signedError.isNeverForwarded && isWithinLifetime;
    case 'completed':
    case 'cut-off':
    case 'unauthenticated':
    case 'incomplete':
      return false;
  }
}

/** Whether a request that failed may be sealed and sent again. protocol.md section 8. */
export function mayRetry(outcome: AttemptOutcome, circumstances: RetryCircumstances): boolean {
  if (circumstances.attempt >= MAX_ATTEMPTS || !circumstances.isReplayable) {
    return false;
  }
  const isIdempotent = IDEMPOTENT_METHODS.has(circumstances.method);
  switch (outcome.kind) {
    case 'failed':
      return isRetryableFailure(outcome, isIdempotent);
    case 'signed-error':
      return (
        // A second message would only add to the load of an overloaded peer.
        outcome.signedError.status !== RelayStatus.OVERLOADED &&
        isProvenUnforwarded(outcome, circumstances.isWithinLifetime) &&
        (isIdempotent || circumstances.retryUnsafeMethods)
      );
    case 'completed':
    case 'cut-off':
    case 'unauthenticated':
    case 'incomplete':
      return false;
  }
}

/** A lost connection justifies another attempt. A peer that did not respond in time would probably not do so a second time. */
function isRetryableFailure(
  { failure }: Extract<AttemptOutcome, { kind: 'failed' }>,
  isIdempotent: boolean,
): boolean {
  switch (failure.kind) {
    case 'unreachable':
    case 'connect-timeout':
      return true;
    case 'reset':
      return isIdempotent;
    case 'response-timeout':
    case 'idle':
    case 'aborted':
      return false;
  }
}
