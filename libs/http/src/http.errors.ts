import { RelayError, type Forwarded } from '@relay/errors';

/** The sender of a body went away before its end. */
export class BodyAbortedError extends RelayError {
  readonly code = 'RELAY_BODY_ABORTED';
}

/** The sender of a body was silent for longer than the limit. */
export class BodyIdleError extends RelayError {
  readonly code = 'RELAY_BODY_IDLE';
}

/**
 * The request or the upstream uses a scheme that authenticates a connection, and the connections of relays are shared.
 */
export class ConnectionAuthUnsupportedError extends RelayError {
  readonly code = 'RELAY_CONNECTION_AUTH_UNSUPPORTED';

  /** @param forwarded - `no` if the request was refused before anything was sent */
  constructor(
    readonly forwarded: Forwarded,
    message: string,
  ) {
    super(message);
  }
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

/** No upgraded connection can be carried, for the reason that the message states. */
export class UpgradeUnsupportedError extends RelayError {
  readonly code = 'RELAY_UPGRADE_UNSUPPORTED';
}
