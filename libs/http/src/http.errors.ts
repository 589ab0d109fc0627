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

/** Whether nobody is left to answer. */
export function isClientGone(error: unknown): error is ClientGoneError | BodyAbortedError {
  return error instanceof ClientGoneError || error instanceof BodyAbortedError;
}

/** A message that has to be held whole took longer than the limit, though its sender was never silent for long. */
export class MessageTooSlowError extends BodyIdleError {}

/** A message that has to be held whole is larger than the limit. */
export class MessageTooLargeError extends RelayError {
  readonly code = 'RELAY_BODY_TOO_LARGE';
}

/** Whether a message was refused for its size alone. */
export function isHoldLimit(error: unknown): error is MessageTooLargeError | RelayBusyError {
  return error instanceof MessageTooLargeError || error instanceof RelayBusyError;
}

/** The relay has taken on as much as it may: of requests, or of messages that are held whole. */
export class RelayBusyError extends RelayError {
  readonly code = 'RELAY_BUSY';
  /** Seconds: something is over at any moment. */
  readonly retryAfter = 1;
}
