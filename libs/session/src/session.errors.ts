import { RelayError } from '@relay/errors';

/** The session is past its lifetime or its sequence limit. */
export class SessionExpiredError extends RelayError {
  readonly code = 'RELAY_SESSION_EXPIRED';
}

/** No live session has this id: it was never made, was killed or evicted, or the store lost its history. */
export class SessionUnknownError extends RelayError {
  readonly code = 'RELAY_SESSION_UNKNOWN';
}

/** The sequence number was used before. */
export class MessageReplayedError extends RelayError {
  readonly code = 'RELAY_MESSAGE_REPLAYED';
}

/** The pairing request was seen before, so its session id is taken. */
export class PairReplayedError extends RelayError {
  readonly code = 'RELAY_PAIR_REPLAYED';
}

/** The store did not answer, or refused: the outcome of the operation is unknown. */
export class SessionStoreUnavailableError extends RelayError {
  readonly code = 'RELAY_STORE_UNAVAILABLE';
}

/** The store did not answer while a session was being made; nothing was forwarded. */
export class PairStoreUnavailableError extends RelayError {
  readonly code = 'RELAY_PAIR_STORE_UNAVAILABLE';
}

/** Whether a sequence number was burnt is unknown, so its message may not be forwarded. */
export class MarkFailedError extends RelayError {
  readonly code = 'RELAY_MARK_FAILED';
}

/** A new session could not be saved. */
export class PairNotSavedError extends RelayError {
  readonly code = 'RELAY_PAIR_NOT_SAVED';
}
