import { RelayError } from '@relay/errors';

/** A relay header, `x-mte-client-id` or `x-mte-relay`, does not match its pattern. protocol.md section 2. */
export class RelayHeaderMalformedError extends RelayError {
  readonly code = 'RELAY_HEADER_MALFORMED';
}

/** A pairing body has the wrong length, version, suite or bounds. protocol.md section 4. */
export class PairMessageMalformedError extends RelayError {
  readonly code = 'RELAY_PAIR_MALFORMED';
}

/** The peer's public key is no X-Wing key that can be encapsulated to. protocol.md section 4. */
export class PairKeyInvalidError extends RelayError {
  readonly code = 'RELAY_PAIR_KEY_INVALID';
}

/** The peer did not prove that it knows the secret and saw the same transcript. protocol.md section 4. */
export class PairConfirmInvalidError extends RelayError {
  readonly code = 'RELAY_PAIR_REFUSED';
}

/** A record's length, type, padding or place in the message is not allowed. protocol.md section 6. */
export class RecordMalformedError extends RelayError {
  readonly code = 'RELAY_RECORD_MALFORMED';
}

/** A record did not authenticate under the message's key. protocol.md section 6. */
export class RecordOpenError extends RelayError {
  readonly code = 'RELAY_RECORD_UNAUTHENTIC';
}

/** A message ended before its last record. protocol.md section 6. */
export class MessageTruncatedError extends RelayError {
  readonly code = 'RELAY_MESSAGE_TRUNCATED';
}

/** A message would need more records than one key may seal. protocol.md section 6. */
export class MessageTooLongError extends RelayError {
  readonly code = 'RELAY_MESSAGE_TOO_LONG';
}

/** A request or response head breaks a rule of protocol.md section 6. */
export class HeadInvalidError extends RelayError {
  readonly code = 'RELAY_HEAD_INVALID';
}

/** A stored session does not open under the sender's keys. protocol.md section 5. */
export class SessionBlobInvalidError extends RelayError {
  readonly code = 'RELAY_SESSION_BLOB_INVALID';
}
