import { RelayError } from '@relay/errors';

/** The sender of a body went away before its end. */
export class BodyAbortedError extends RelayError {
  readonly code = 'RELAY_BODY_ABORTED';
}

/** The sender of a body was silent for longer than the limit. */
export class BodyIdleError extends RelayError {
  readonly code = 'RELAY_BODY_IDLE';
}

/** The client has gone away, so no response can be sent. */
export class ClientGoneError extends RelayError {
  readonly code = 'RELAY_CLIENT_GONE';
}

/** Whether an error means that no client is left to receive a response. */
export function isClientGone(error: unknown): error is ClientGoneError | BodyAbortedError {
  return error instanceof ClientGoneError || error instanceof BodyAbortedError;
}

/**
 * The reason for cancelling whatever still reads or sends for an exchange that has ended. All exchanges share one instance,
 * because capturing a stack trace for each request would cost more than the rest of its cleanup.
 */
export const EXCHANGE_OVER = new ClientGoneError('the exchange is over');
