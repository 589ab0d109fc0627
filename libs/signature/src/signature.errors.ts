import { RelayError } from '@relay/errors';

/** A request for the inbound role lacks one of the relay headers. */
export class RelayHeaderMissingError extends RelayError {
  readonly code = 'RELAY_HEADER_MISSING';
}

/** The sender's signature does not verify: another secret, another message, or an unknown kid. */
export class SenderInvalidError extends RelayError {
  readonly code = 'RELAY_SENDER_INVALID';
}
