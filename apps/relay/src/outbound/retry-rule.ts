import { RelayStatus } from '@relay/errors';
import { isSafeMethod } from '@relay/http';

import type { AttemptOutcome } from './tunnel-attempt.js';

/** Methods that are not safe, but whose effect is the same once or twice. RFC 9110 section 9.2.2. */
const IDEMPOTENT_METHODS = new Set(['PUT', 'DELETE']);

const MAX_ATTEMPTS = 2;

/**
 * How a request is sent again. `replacing`: under the same session, as the replacement of the first message, so that at most one of
 * the two is ever forwarded. `independent`: as any other message.
 */
export type Retry = 'none' | 'independent' | 'replacing';

/** What decides, besides the outcome, whether and how a request is sent again. */
export interface RetryCircumstances {
  readonly method: string;
  /** Number of the attempt that ended, from 1. */
  readonly attempt: number;
  /** Whether the whole body so far is still in the replay buffer. */
  readonly isReplayable: boolean;
  /** Whether a replacement may still be sent under the session of the attempt. */
  readonly isReplaceable: boolean;
  /** RETRY_UNSAFE_METHODS. */
  readonly retryUnsafeMethods: boolean;
  /** Whether the peer has another origin that this request has not asked. */
  readonly hasOtherOrigin: boolean;
}

/** Whether an attempt proves that its message was not forwarded and never will be. protocol.md section 8. */
export function isProvenUnforwarded(outcome: AttemptOutcome): boolean {
  switch (outcome.kind) {
    case 'failed':
      return !outcome.failure.wasSent;
    case 'signed-error':
      return outcome.signedError.isNeverForwarded;
    case 'unforwarded':
      return true;
    case 'completed':
    case 'cut-off':
    case 'unauthenticated':
    case 'incomplete':
    case 'given-up':
      return false;
  }
}

/** Whether and how a request that failed is sealed and sent again. protocol.md section 8, rules (a) to (d). */
export function retryOf(outcome: AttemptOutcome, circumstances: RetryCircumstances): Retry {
  const { method, attempt, isReplayable, isReplaceable, hasOtherOrigin } = circumstances;
  if (attempt >= MAX_ATTEMPTS || !isReplayable) {
    return 'none';
  }
  const mayRepeat = mayRepeatSent(circumstances);
  switch (outcome.kind) {
    case 'failed':
      if (hasOtherOrigin && !outcome.failure.wasSent) {
        // What cannot be connected to is not worth waiting for a second time.
        return 'none';
      }
      return retryOfFailure(outcome, method, mayRepeat && isReplaceable);
    case 'signed-error':
      return retryOfSignedError(outcome, method, mayRepeat);
    case 'unforwarded':
      return retryOfStream(outcome, mayRepeat);
    case 'completed':
    case 'cut-off':
    case 'unauthenticated':
    case 'incomplete':
    case 'given-up':
      return 'none';
  }
}

/**
 * Whether a request may be sent to another origin of the peer, where no session and no number of the first one counts: only what is
 * never forwarded at the first origin is never executed twice. What came before the outcome must be proven as well.
 *
 * @param outcome - of the last attempt; undefined if there was none, because a pairing, a check or a channel failed
 */
export function mayGoElsewhere(
  outcome: AttemptOutcome | undefined,
  circumstances: Pick<RetryCircumstances, 'method' | 'retryUnsafeMethods'>,
): boolean {
  if (outcome === undefined) {
    return true;
  }
  if (!isProvenUnforwarded(outcome)) {
    return false;
  }
  if (outcome.kind === 'failed') {
    // An abort is no failure of the origin.
    return outcome.failure.kind !== 'aborted';
  }
  const reason = outcome.kind === 'unforwarded' ? outcome.reason : undefined;
  if (reason === 'rejected') {
    // What breaks a rule breaks it everywhere.
    return false;
  }
  return reason === 'not-sent' || mayRepeatSent(circumstances);
}

/** Whether a message that was sent may be followed by another one if it is proven not to be forwarded. */
function mayRepeatSent({
  method,
  retryUnsafeMethods,
}: Pick<RetryCircumstances, 'method' | 'retryUnsafeMethods'>): boolean {
  return retryUnsafeMethods || isSafeMethod(method) || IDEMPOTENT_METHODS.has(method);
}

/** A broken connection is worth another attempt; a peer that did not respond in time would not do so the next time either. */
function retryOfFailure(
  { failure }: Extract<AttemptOutcome, { kind: 'failed' }>,
  method: string,
  mayReplace: boolean,
): Retry {
  switch (failure.kind) {
    case 'unreachable':
    case 'connect-timeout':
      return 'independent';
    case 'reset':
      if (isSafeMethod(method)) {
        return 'independent';
      }
      return mayReplace ? 'replacing' : 'none';
    case 'response-timeout':
    case 'idle':
    case 'aborted':
      return 'none';
  }
}

function retryOfSignedError(
  { signedError }: Extract<AttemptOutcome, { kind: 'signed-error' }>,
  method: string,
  mayRepeat: boolean,
): Retry {
  const { status, isNeverForwarded } = signedError;
  if (isNeverForwarded) {
    // A second message would only add to the load of an overloaded peer.
    return mayRepeat && status !== RelayStatus.OVERLOADED ? 'independent' : 'none';
  }
  // The peer does not know whether it forwarded the message before it lost the session; a safe request may run twice.
  return status === RelayStatus.SESSION_UNKNOWN && isSafeMethod(method) ? 'independent' : 'none';
}

/** A channel that broke or drains is worth another attempt; a peer that refuses a stream would refuse the next one, too. */
function retryOfStream(
  { reason }: Extract<AttemptOutcome, { kind: 'unforwarded' }>,
  mayRepeat: boolean,
): Retry {
  const isWorthwhile = reason === 'not-sent' || (reason === 'not-forwarded' && mayRepeat);
  return isWorthwhile ? 'independent' : 'none';
}
