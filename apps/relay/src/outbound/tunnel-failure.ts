import type { Forwarded, RelayError } from '@relay/errors';

import { exchangeFailure, signedFailure, untrustedResponse } from '../peers/peer-failure.js';
import type { AttemptOutcome } from './tunnel-attempt.js';

/** The attempts that end without a response to the client. */
export type FailedOutcome = Exclude<AttemptOutcome, { kind: 'completed' | 'cut-off' }>;

/** What the client receives for an attempt that is not repeated. protocol.md section 8. */
export function tunnelFailure(outcome: FailedOutcome, forwarded: Forwarded): RelayError {
  switch (outcome.kind) {
    case 'failed':
    case 'incomplete':
      return exchangeFailure(outcome.failure, forwarded);
    case 'signed-error':
      return signedFailure(outcome.signedError, forwarded);
    case 'unauthenticated':
      return untrustedResponse(outcome.cause, forwarded);
  }
}
