import { RelayError } from '@relay/errors';

/** The value of `x-mte-client-id` or `x-mte-relay` does not match its pattern. protocol.md section 2. */
export class RelayHeaderMalformedError extends RelayError {
  readonly code = 'RELAY_HEADER_MALFORMED';
}

/**
 * The body of a pairing request or response has a wrong length, version or suite, or a value out of bounds.
 * protocol.md section 4.
 */
export class PairMessageMalformedError extends RelayError {
  readonly code = 'RELAY_PAIR_MALFORMED';
}

/** The public key in a pairing request is not an X-Wing key that allows encapsulation. protocol.md section 4. */
export class PairKeyInvalidError extends RelayError {
  readonly code = 'RELAY_PAIR_KEY_INVALID';
}

/**
 * A pairing response does not prove that the peer holds the secret and saw the same transcript. protocol.md section 4.
 */
export class PairConfirmInvalidError extends RelayError {
  readonly code = 'RELAY_PAIR_REFUSED';
}

/** A record has a length, type, padding or place in its message that is not allowed. protocol.md section 6. */
export class RecordMalformedError extends RelayError {
  readonly code = 'RELAY_RECORD_MALFORMED';
}

/** A record failed authentication under the key of its message. protocol.md section 6. */
export class RecordOpenError extends RelayError {
  readonly code = 'RELAY_RECORD_UNAUTHENTIC';
}

/** A message ended before its last record. protocol.md section 6. */
export class MessageTruncatedError extends RelayError {
  readonly code = 'RELAY_MESSAGE_TRUNCATED';
}

/** A message needs more than the 2^22 records that one key may seal. protocol.md section 6. */
export class MessageTooLongError extends RelayError {
  readonly code = 'RELAY_MESSAGE_TOO_LONG';
}

/** The head of a request or response breaks a rule of protocol.md section 6. */
export class HeadInvalidError extends RelayError {
  readonly code = 'RELAY_HEAD_INVALID';
}

/** A session blob does not open under the sender's keys. protocol.md section 5. */
export class SessionBlobInvalidError extends RelayError {
  readonly code = 'RELAY_SESSION_BLOB_INVALID';
}
