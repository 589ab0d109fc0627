import { NeverForwardedError, RelayError } from '@relay/errors';

/** The head of a message, or a message that is buffered whole, is invalid. Its sequence number is consumed. */
export class MessageUnreadableError extends NeverForwardedError {
  readonly code = 'RELAY_MESSAGE_UNREADABLE';
}

/** The message was held back on its way, or a clock was stepped. Its sequence number is consumed. */
export class MessageLateError extends NeverForwardedError {
  readonly code = 'RELAY_MESSAGE_LATE';
}

/** A later record of a message that was already being forwarded is invalid. */
export class MessageBrokenError extends RelayError {
  readonly code = 'RELAY_MESSAGE_BROKEN';
}

/** The relay is at its limit of concurrent requests. The message's sequence number is consumed. */
export class OverloadedError extends NeverForwardedError {
  readonly code = 'RELAY_OVERLOADED';
}

/** The upstream's response has a head that no message can carry. */
export class ResponseUnencodableError extends RelayError {
  readonly code = 'RELAY_RESPONSE_UNENCODABLE';
}

/** The relay that sent the message has gone away, so there is nobody to respond to. */
export class PeerGoneError extends RelayError {
  readonly code = 'RELAY_PEER_GONE';
}
