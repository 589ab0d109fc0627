import { RelayError } from '@relay/protocol';

/** The sender of a body went away before its end. */
export class BodyAbortedError extends RelayError {
  readonly code = 'RELAY_BODY_ABORTED';
}

/** The sender of a body was silent for longer than the limit. */
export class BodyIdleError extends RelayError {
  readonly code = 'RELAY_BODY_IDLE';
}

/** The client has gone away; there is nobody to answer. */
export class ClientGoneError extends RelayError {
  readonly code = 'RELAY_CLIENT_GONE';
}

/** A message that has to be held whole is larger than the limit. */
export class MessageTooLargeError extends RelayError {
  readonly code = 'RELAY_BODY_TOO_LARGE';
}

/** All messages that are held whole together have reached their limit. */
export class RelayBusyError extends RelayError {
  readonly code = 'RELAY_BUSY';
}
