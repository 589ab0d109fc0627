import { RelayError } from '@relay/protocol';

/** The head of a message, or a message held whole, cannot be read; its sequence number is burnt. */
export class MessageUnreadableError extends RelayError {
  readonly code = 'RELAY_MESSAGE_UNREADABLE';
}

/** A later record of a message that was already being forwarded is bad. */
export class MessageBrokenError extends RelayError {
  readonly code = 'RELAY_MESSAGE_BROKEN';
}

/** The relay forwards as much as it may already; the message's sequence number is burnt. */
export class OverloadedError extends RelayError {
  readonly code = 'RELAY_OVERLOADED';
}

/** The upstream's answer has a head that no message can carry. */
export class ResponseUnencodableError extends RelayError {
  readonly code = 'RELAY_RESPONSE_UNENCODABLE';
}

/** The relay that sent the message has gone away; there is nobody to answer. */
export class PeerGoneError extends RelayError {
  readonly code = 'RELAY_PEER_GONE';
}

/** The path could lead out of the configured routes or base path. */
export class PathRefusedError extends RelayError {
  readonly code = 'RELAY_PATH_REFUSED';
}

/** The path is none of the configured routes. */
export class RouteUnknownError extends RelayError {
  readonly code = 'RELAY_ROUTE_UNKNOWN';
}
