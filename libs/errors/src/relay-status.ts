/**
 * HTTP statuses by which the inbound role reports an error to another relay. protocol.md section 8. No upstream uses
 * these statuses, and no client ever sees one.
 */
export const RelayStatus = {
  /** The session is past its lifetime or its limit of messages, or its sender may not use it any more. */
  SESSION_EXPIRED: 559,
  /** No live session has this id. */
  SESSION_UNKNOWN: 560,
  /** The upstream's response cannot be encoded as a message. */
  ENCODE_FAILED: 561,
  /** The message, or the public key of a pairing, cannot be decoded. */
  DECODE_FAILED: 562,
  /** The session store cannot be read. */
  STORE_UNAVAILABLE: 563,
  /** The relay is at one of its limits. */
  OVERLOADED: 564,
  /** The sequence number was used before, or the pairing request was seen before. */
  REPLAYED: 565,
  /** This relay does not accept the sender, or the sender's clock is too far off. */
  SENDER_REFUSED: 566,
  /** It is unknown whether the sequence number was consumed. */
  MARK_FAILED: 567,
  /** A new session could not be saved. */
  SESSION_NOT_SAVED: 568,
  /** A relay header is missing. */
  HEADER_MISSING: 569,
} as const;

/** One of the statuses 559 to 569. */
export type RelayStatus = (typeof RelayStatus)[keyof typeof RelayStatus];
