import { BodyIdleError, isHoldLimit, type ExchangeFailure } from '@relay/http';
import { MessageTooLongError, RelayError } from '@relay/protocol';
import type { ErrorStatement } from '@relay/signature';

import type { Forwarded } from '../errors/error-body.js';
import { TunnelFailedError, type TunnelFailureCode } from './outbound.errors.js';
import { OVERLOADED_STATUS } from './retry-rule.js';
import type { AttemptOutcome } from './tunnel-attempt.js';

/** The attempts that end without an answer. */
export type FailedOutcome = Exclude<AttemptOutcome, { kind: 'answered' | 'broken' }>;

/** What the client hears of an attempt that failed for good. protocol.md section 8. */
export function tunnelFailure(outcome: FailedOutcome, forwarded: Forwarded): RelayError {
  switch (outcome.kind) {
    case 'failed':
    case 'unfinished':
      return exchangeFailure(outcome.failure, forwarded);
    case 'stated':
      return statedFailure(outcome.statement, forwarded);
    case 'unproven':
      return new TunnelFailedError(
        'RELAY_PEER_ANSWER_INVALID',
        forwarded,
        'the other relay gave an answer that cannot be trusted',
        { cause: outcome.cause },
      );
  }
}

function exchangeFailure(
  { kind, hasHead, cause }: ExchangeFailure,
  forwarded: Forwarded,
): RelayError {
  const failed = (code: TunnelFailureCode, message: string): TunnelFailedError =>
    new TunnelFailedError(code, forwarded, message, { cause });
  switch (kind) {
    case 'unreachable':
      return failed('RELAY_PEER_UNREACHABLE', 'the other relay cannot be reached');
    case 'connect-timeout':
      return failed('RELAY_PEER_CONNECT_TIMEOUT', 'no connection to the other relay in time');
    case 'response-timeout':
      return failed('RELAY_PEER_TIMEOUT', 'the other relay did not answer in time');
    case 'idle':
      return hasHead
        ? failed('RELAY_PEER_TIMEOUT', 'the other relay stopped in the middle of its answer')
        : failed('RELAY_PEER_STALLED', 'the other relay stopped reading the request');
    case 'reset':
      return failed('RELAY_PEER_CONNECTION_LOST', 'the connection to the other relay broke');
    case 'aborted':
      return abortedBy(cause, failed);
  }
}

/** Given up on this side: what stopped us says more than that we stopped. */
function abortedBy(
  cause: Error,
  failed: (code: TunnelFailureCode, message: string) => TunnelFailedError,
): RelayError {
  if (cause instanceof BodyIdleError || cause instanceof MessageTooLongError) {
    return failed(cause.code, cause.message);
  }
  if (isHoldLimit(cause)) {
    return failed('RELAY_PEER_ANSWER_TOO_LARGE', `the answer cannot be held: ${cause.message}`);
  }
  return cause instanceof RelayError
    ? cause
    : failed('RELAY_PEER_CONNECTION_LOST', 'the request broke off');
}

const STORE_STATUSES = new Set([563, 567]);

/** 564. protocol.md section 8 */
export function overloaded(forwarded: Forwarded): TunnelFailedError {
  return new TunnelFailedError('RELAY_BUSY', forwarded, 'the other relay has too much to do', {
    retryAfter: 1,
  });
}

function statedFailure({ status }: ErrorStatement, forwarded: Forwarded): TunnelFailedError {
  const cause = new Error(`the other relay stated ${status}`);
  if (status === OVERLOADED_STATUS) {
    return overloaded(forwarded);
  }
  return STORE_STATUSES.has(status)
    ? new TunnelFailedError(
        'RELAY_PEER_STORE_UNAVAILABLE',
        forwarded,
        'the other relay cannot reach its session store',
        { cause },
      )
    : new TunnelFailedError(
        'RELAY_PEER_REFUSED_MESSAGE',
        forwarded,
        'the other relay refused the message',
        { cause },
      );
}
