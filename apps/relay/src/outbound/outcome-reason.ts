import type { AttemptOutcome } from './tunnel-attempt.js';
import type { FailedOutcome } from './tunnel-failure.js';

/** Why an attempt failed, for the log. */
export function reasonOf(outcome: FailedOutcome): string {
  switch (outcome.kind) {
    case 'failed':
      return `no response: ${outcome.failure.kind}`;
    case 'incomplete':
      return `an incomplete response: ${outcome.failure.kind}`;
    case 'signed-error':
      return `a signed error with status ${outcome.signedError.status}`;
    case 'unauthenticated':
      return 'an unauthenticated response';
    case 'unforwarded':
      return `a stream that was not forwarded: ${outcome.reason}`;
    case 'given-up':
      return 'a stream that the peer ended';
  }
}

/** The error that ended an attempt, if one did. */
export function causeOf(outcome: AttemptOutcome): Error | undefined {
  switch (outcome.kind) {
    case 'failed':
    case 'incomplete':
      return outcome.failure.cause;
    case 'cut-off':
    case 'unauthenticated':
    case 'given-up':
      return outcome.cause;
    case 'unforwarded':
    case 'completed':
    case 'signed-error':
      return undefined;
  }
}
