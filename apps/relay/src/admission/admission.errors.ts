import { RelayError } from '@relay/errors';
import { BodyIdleError } from '@relay/http';

/** The relay is at its limit of concurrent requests, or of buffered messages. */
export class RelayBusyError extends RelayError {
  readonly code = 'RELAY_BUSY';
  readonly forwarded = 'no';
  /** Seconds. Capacity may become free at any moment. */
  readonly retryAfter = 1;
}

/** A client has used up what its limits allow. Other clients are not affected. */
export class ClientLimitedError extends RelayError {
  readonly code = 'RELAY_CLIENT_LIMITED';
  readonly forwarded = 'no';

  /** @param retryAfter - in seconds */
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }
}

/** A message that must be buffered whole took longer than the limit, although its sender was never silent for too long. */
export class MessageTooSlowError extends BodyIdleError {}

/** A message that must be buffered whole is larger than the limit. */
export class MessageTooLargeError extends RelayError {
  readonly code = 'RELAY_BODY_TOO_LARGE';
}

/** Whether a message was refused for its size alone. */
export function isBufferLimit(error: unknown): error is MessageTooLargeError | RelayBusyError {
  return error instanceof MessageTooLargeError || error instanceof RelayBusyError;
}
