import { NeverForwardedError, RelayError } from '@relay/errors';

/**
 * The session is past its lifetime or its limit of messages. The message's number has been consumed, and the session killed if
 * the store allowed it: 559, protocol.md section 8.
 */
export class SessionExpiredError extends NeverForwardedError {
  readonly code = 'RELAY_SESSION_EXPIRED';
}

/**
 * The sender of the session may not use its audience any more. The message's number has been consumed: 559, protocol.md section 8.
 */
export class SessionRefusedError extends NeverForwardedError {
  readonly code = 'RELAY_SESSION_REFUSED';
}

/**
 * There is no live session with this id: it was never created, was killed or evicted, or the store has lost its
 * history. The id is dead from now on: 560, protocol.md section 8.
 */
export class SessionUnknownError extends RelayError {
  readonly code = 'RELAY_SESSION_UNKNOWN';
}

/**
 * The sequence number of the message, or of the message that it replaces, has already been consumed, so the message must not be
 * forwarded: 565, protocol.md section 8.
 */
export class MessageReplayedError extends RelayError {
  readonly code = 'RELAY_MESSAGE_REPLAYED';
}

/** The pairing request has been seen before, so its session id is taken: 565, protocol.md section 8. */
export class PairReplayedError extends RelayError {
  readonly code = 'RELAY_PAIR_REPLAYED';
}

/** The store did not reply, or failed: the outcome of the operation is unknown. 563, protocol.md section 8. */
export class SessionStoreUnavailableError extends RelayError {
  readonly code = 'RELAY_STORE_UNAVAILABLE';
}

/** The store was unavailable during pairing; nothing was forwarded: 563, protocol.md section 8. */
export class PairStoreUnavailableError extends RelayError {
  readonly code = 'RELAY_PAIR_STORE_UNAVAILABLE';
}

/**
 * It is unknown whether a sequence number was consumed, so its message must not be forwarded: 567, protocol.md
 * section 8.
 */
export class MarkFailedError extends RelayError {
  readonly code = 'RELAY_MARK_FAILED';
}

/** The session of a pairing could not be saved: 568, protocol.md section 8. */
export class PairNotSavedError extends RelayError {
  readonly code = 'RELAY_PAIR_NOT_SAVED';
}

/** The pairing request, or the session, is for an origin that RELAY_AUDIENCE does not list: 566, unsigned. */
export class AudienceRefusedError extends RelayError {
  readonly code = 'RELAY_AUDIENCE_REFUSED';
}
