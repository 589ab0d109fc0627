import { RelayError } from '@relay/errors';

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

/**
 * The reason given to whatever still reads or sends for an exchange that has ended. One instance for all, because capturing a
 * stack trace for each request costs more than the rest of its end.
 */
export const EXCHANGE_OVER = new ClientGoneError('the exchange is over');
