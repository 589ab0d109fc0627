import type { Forwarded, RelayError } from '@relay/errors';

import { exchangeFailure, signedFailure, untrustedResponse } from '../peers/peer-failure.js';
import { TunnelFailedError, peerOverloadedError } from '../peers/peers.errors.js';
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
    case 'unforwarded':
      return outcome.reason === 'refused'
        ? peerOverloadedError(forwarded)
        : streamFailure(`the stream was not forwarded: ${outcome.reason}`, forwarded);
    case 'given-up':
      return streamFailure(outcome.cause.message, forwarded, outcome.cause);
  }
}

function streamFailure(message: string, forwarded: Forwarded, cause?: Error): TunnelFailedError {
  return new TunnelFailedError('RELAY_PEER_REFUSED_MESSAGE', forwarded, message, { cause });
}
