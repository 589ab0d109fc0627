import { RelayError, RelayStatus, type Forwarded } from '@relay/errors';
import { BodyIdleError, type ExchangeFailure } from '@relay/http';
import { MessageTooLongError } from '@relay/protocol';
import type { SignedError } from '@relay/signature';

import { isBufferLimit } from '../admission/admission.errors.js';
import { CodedResponseError } from './coded-response.js';
import {
  UnsignedStatusError,
  intermediaryResponded,
  isRelayStatus,
} from './intermediary-response.js';
import {
  NotConnectedError,
  TunnelFailedError,
  peerOverloadedError,
  type TunnelFailureCode,
} from './peers.errors.js';

/** What failed in an exchange with the other relay. protocol.md section 8. */
export function exchangeFailure(
  { kind, hasHead, cause }: ExchangeFailure,
  forwarded: Forwarded,
): RelayError {
  const failed = (code: TunnelFailureCode, message: string): TunnelFailedError =>
    new TunnelFailedError(code, forwarded, message, { cause });
  switch (kind) {
    case 'unreachable':
      return (
        unconnected(cause, forwarded) ??
        failed('RELAY_PEER_UNREACHABLE', 'the other relay cannot be reached')
      );
    case 'connect-timeout':
      return failed(
        'RELAY_PEER_CONNECT_TIMEOUT',
        'no connection to the other relay was established in time',
      );
    case 'response-timeout':
      return failed('RELAY_PEER_TIMEOUT', 'the other relay did not respond in time');
    case 'idle':
      return hasHead
        ? failed('RELAY_PEER_TIMEOUT', 'the other relay stopped in the middle of its response')
        : failed('RELAY_PEER_STALLED', 'the other relay stopped reading the request');
    case 'reset':
      return failed('RELAY_PEER_CONNECTION_LOST', 'the connection to the other relay was lost');
    case 'aborted':
      return abortedBy(cause, failed);
  }
}

/**
 * What a proxy on the way to the other relay has failed with, if that is why there is no connection.
 *
 * @param forwarded - of the request, of which nothing was sent this time
 */
export function unconnected(cause: Error, forwarded: Forwarded): TunnelFailedError | undefined {
  return cause instanceof NotConnectedError
    ? new TunnelFailedError(cause.code, forwarded, cause.message, { cause: cause.cause })
    : undefined;
}

/** This relay gave up: its reason is more useful than the fact that it gave up. */
function abortedBy(
  cause: Error,
  failed: (code: TunnelFailureCode, message: string) => TunnelFailedError,
): RelayError {
  if (cause instanceof BodyIdleError || cause instanceof MessageTooLongError) {
    return failed(cause.code, cause.message);
  }
  if (isBufferLimit(cause)) {
    return failed(
      'RELAY_PEER_ANSWER_TOO_LARGE',
      `the response cannot be buffered: ${cause.message}`,
    );
  }
  return cause instanceof RelayError
    ? cause
    : failed('RELAY_PEER_CONNECTION_LOST', 'the request was aborted');
}

/** What the other relay signed about a message. protocol.md section 8. */
export function signedFailure({ status }: SignedError, forwarded: Forwarded): TunnelFailedError {
  const cause = new Error(`the other relay signed an error with status ${status}`);
  switch (status) {
    case RelayStatus.OVERLOADED:
      return peerOverloadedError(forwarded);
    case RelayStatus.STORE_UNAVAILABLE:
    case RelayStatus.MARK_FAILED:
      return new TunnelFailedError(
        'RELAY_PEER_STORE_UNAVAILABLE',
        forwarded,
        'the other relay cannot reach its session store',
        { cause },
      );
    case RelayStatus.REPLAYED:
      return new TunnelFailedError(
        'RELAY_PEER_REFUSED_MESSAGE',
        forwarded,
        'the other relay had received the message before: a connection between the relays was lost, ' +
          'or the timeouts of an intermediary are shorter than those of the relays',
        { cause },
      );
    default:
      return new TunnelFailedError(
        'RELAY_PEER_REFUSED_MESSAGE',
        forwarded,
        'the other relay refused the message',
        { cause },
      );
  }
}

/** A response that is neither sealed nor signed for this message. */
export function untrustedResponse(cause: Error, forwarded: Forwarded): TunnelFailedError {
  return new TunnelFailedError('RELAY_PEER_ANSWER_INVALID', forwarded, whyUntrusted(cause), {
    cause,
  });
}

function whyUntrusted(cause: Error): string {
  if (cause instanceof CodedResponseError) {
    return cause.message;
  }
  const isOfIntermediary =
    cause instanceof UnsignedStatusError && !isRelayStatus(cause.status) && cause.status !== 200;
  return isOfIntermediary
    ? intermediaryResponded(cause.status)
    : 'the other relay gave a response that cannot be trusted';
}
