import type { AttemptOutcome } from './tunnel-attempt.js';

/** Methods that mean the same once or twice. protocol.md section 8, rule (c). */
const REPEATABLE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What decides, besides the outcome, whether a request may go out again. */
export interface RetryCircumstances {
  readonly method: string;
  readonly attempt: number;
  /** Whether the whole body so far is still at hand. */
  readonly isReplayable: boolean;
  /** Whether the session was within its lifetime when the outcome came. */
  readonly isWithinLifetime: boolean;
  /** RETRY_UNSAFE_METHODS. */
  readonly retryUnsafeMethods: boolean;
}

const MAX_ATTEMPTS = 2;
/** The peer has too much to do: a second message would be more of it. */
export const OVERLOADED_STATUS = 564;

/** What an attempt proves about its message, if the session was alive. */
export function isProvenUnforwarded(outcome: AttemptOutcome, isWithinLifetime: boolean): boolean {
  switch (outcome.kind) {
    case 'failed':
      return !outcome.failure.wasSent;
    case 'stated':
      return outcome.statement.isNeverForwarded && isWithinLifetime;
    case 'answered':
    case 'broken':
    case 'unproven':
    case 'unfinished':
      return false;
  }
}

/** Whether a request that failed may be sealed and sent once more. protocol.md section 8. */
export function mayRetry(outcome: AttemptOutcome, circumstances: RetryCircumstances): boolean {
  if (circumstances.attempt >= MAX_ATTEMPTS || !circumstances.isReplayable) {
    return false;
  }
  const isRepeatable = REPEATABLE_METHODS.has(circumstances.method);
  switch (outcome.kind) {
    case 'failed':
      return isRetryableFailure(outcome, isRepeatable);
    case 'stated':
      return (
        outcome.statement.status !== OVERLOADED_STATUS &&
        isProvenUnforwarded(outcome, circumstances.isWithinLifetime) &&
        (isRepeatable || circumstances.retryUnsafeMethods)
      );
    case 'answered':
    case 'broken':
    case 'unproven':
    case 'unfinished':
      return false;
  }
}

/** A connection that broke is tried again; a peer that did not answer in time would not answer in time again. */
function isRetryableFailure(
  { failure }: Extract<AttemptOutcome, { kind: 'failed' }>,
  isRepeatable: boolean,
): boolean {
  switch (failure.kind) {
    case 'unreachable':
    case 'connect-timeout':
      return true;
    case 'reset':
      return isRepeatable;
    case 'response-timeout':
    case 'idle':
    case 'aborted':
      return false;
  }
}
