/** How an error code of the inbound role is stated to the other relay. protocol.md section 8. */
export interface PeerAnswer {
  readonly status: number;
  /** p = 0 where true, p = 1 where false; not signed where undefined. */
  readonly isNeverForwarded?: boolean;
}

/** Errors that are answered to a relay: empty body, the status is the statement. */
export const PEER_ANSWERS: Readonly<Record<string, PeerAnswer>> = {
  RELAY_SESSION_EXPIRED: { status: 559, isNeverForwarded: true },
  RELAY_SESSION_UNKNOWN: { status: 560, isNeverForwarded: true },
  RELAY_RESPONSE_UNENCODABLE: { status: 561, isNeverForwarded: false },
  RELAY_MESSAGE_UNREADABLE: { status: 562, isNeverForwarded: true },
  RELAY_MESSAGE_BROKEN: { status: 562, isNeverForwarded: false },
  RELAY_PAIR_KEY_INVALID: { status: 562, isNeverForwarded: true },
  RELAY_STORE_UNAVAILABLE: { status: 563, isNeverForwarded: false },
  RELAY_PAIR_STORE_UNAVAILABLE: { status: 563, isNeverForwarded: true },
  RELAY_OVERLOADED: { status: 564, isNeverForwarded: true },
  RELAY_PAIR_LIMIT: { status: 564, isNeverForwarded: true },
  RELAY_MESSAGE_REPLAYED: { status: 565, isNeverForwarded: false },
  RELAY_PAIR_REPLAYED: { status: 565, isNeverForwarded: true },
  RELAY_CLOCK_SKEW: { status: 566, isNeverForwarded: true },
  RELAY_HEADER_MALFORMED: { status: 566 },
  RELAY_SENDER_INVALID: { status: 566 },
  RELAY_PAIR_MALFORMED: { status: 566 },
  RELAY_AUDIENCE_REFUSED: { status: 566 },
  RELAY_SESSION_BLOB_INVALID: { status: 566 },
  RELAY_MARK_FAILED: { status: 567, isNeverForwarded: false },
  RELAY_PAIR_NOT_SAVED: { status: 568, isNeverForwarded: true },
  RELAY_HEADER_MISSING: { status: 569 },
};

/** What a client gets for a mistake of ours. */
export const INTERNAL_CODE = 'RELAY_INTERNAL';
const INTERNAL_STATUS = 500;

/** HTTP status of the errors that are answered to a client. docs/operations.md lists them. */
export const CLIENT_STATUSES = {
  RELAY_TOKEN_MISSING: 401,
  RELAY_TOKEN_INVALID: 401,
  RELAY_UPSTREAM_HEADER_INVALID: 400,
  RELAY_UPSTREAM_REFUSED: 403,
  RELAY_OPTION_INVALID: 400,
  RELAY_HEAD_INVALID: 400,
  RELAY_REQUEST_INVALID: 400,
  RELAY_REQUEST_TOO_LARGE: 431,
  RELAY_REQUEST_TIMEOUT: 408,
  RELAY_EXPECTATION_FAILED: 417,
  RELAY_UPGRADE_UNSUPPORTED: 501,
  RELAY_METHOD_UNSUPPORTED: 501,
  RELAY_BODY_IDLE: 408,
  RELAY_BODY_TOO_LARGE: 413,
  RELAY_MESSAGE_TOO_LONG: 413,
  RELAY_BUSY: 503,
  RELAY_PATH_REFUSED: 400,
  RELAY_ROUTE_UNKNOWN: 404,
  RELAY_PAIR_REFUSED: 502,
  RELAY_PEER_UNREACHABLE: 502,
  RELAY_PEER_CONNECT_TIMEOUT: 504,
  RELAY_PEER_TIMEOUT: 504,
  RELAY_PEER_STALLED: 504,
  RELAY_PEER_STORE_UNAVAILABLE: 503,
  RELAY_PEER_CONNECTION_LOST: 502,
  RELAY_PEER_ANSWER_INVALID: 502,
  RELAY_PEER_ANSWER_TOO_LARGE: 502,
  RELAY_PEER_REFUSED_MESSAGE: 502,
  RELAY_UPSTREAM_UNREACHABLE: 502,
  RELAY_UPSTREAM_CONNECT_TIMEOUT: 504,
  RELAY_UPSTREAM_TIMEOUT: 504,
  RELAY_UPSTREAM_STALLED: 504,
  RELAY_UPSTREAM_FAILED: 502,
} as const;

/** The status of an error to a client; 500 for what no client should ever see. */
export function clientStatus(code: string): number {
  return (CLIENT_STATUSES as Readonly<Record<string, number>>)[code] ?? INTERNAL_STATUS;
}
