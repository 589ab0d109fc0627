import { RelayError } from '@relay/errors';

/** A request to the inbound role lacks one of the relay headers: unsigned 569, protocol.md section 8. */
export class RelayHeaderMissingError extends RelayError {
  readonly code = 'RELAY_HEADER_MISSING';
}

/**
 * The sender's signature does not verify, because it was made for another request or with another secret, or its kid is
 * unknown: unsigned 566, protocol.md section 8.
 */
export class SenderInvalidError extends RelayError {
  readonly code = 'RELAY_SENDER_INVALID';
}

/** The sender is this relay itself: somebody on the path has turned a request around. 566, unsigned. */
export class SenderSelfError extends RelayError {
  readonly code = 'RELAY_SENDER_SELF';
}
