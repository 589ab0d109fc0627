import type { Forwarded } from './forwarded.js';
import { RelayStatus } from './relay-status.js';

/** What a client receives for an error. */
interface ClientOutcome {
  /** HTTP status of the response. */
  readonly status: number;
  /** The verdict, or `varies` if each error carries its own. */
  readonly forwarded: Forwarded | 'varies';
}

/** What another relay receives for an error. protocol.md section 8. */
interface RelayOutcome {
  readonly status: RelayStatus;
  /** `p=0`: not forwarded, and never will be; `p=1`: unknown; `unsigned`: nothing is claimed. */
  readonly verdict: 'p=0' | 'p=1' | 'unsigned';
}

/** Who receives an error. If neither does, the error is caught, translated or only logged. */
interface ErrorEntry {
  readonly client?: ClientOutcome;
  readonly relay?: RelayOutcome;
}

const toClient = <Verdict extends ClientOutcome['forwarded']>(
  status: number,
  forwarded: Verdict,
) => ({
  client: { status, forwarded },
});
const toRelay = (status: RelayStatus, verdict: RelayOutcome['verdict']) => ({
  relay: { status, verdict },
});
const notReported = {};

/**
 * Every error code, once. Codes are part of the operator contract: docs/operations.md lists them, and a test compares the two.
 * Errors take the type of their code from here, so the compiler finds a code that has no row.
 */
export const ERRORS = {
  RELAY_TOKEN_MISSING: toClient(401, 'no'),
  RELAY_TOKEN_INVALID: toClient(401, 'no'),
  RELAY_UPSTREAM_HEADER_INVALID: toClient(400, 'no'),
  RELAY_UPSTREAM_REFUSED: toClient(403, 'no'),
  RELAY_PROXY_AUTH_REQUIRED: toClient(407, 'no'),
  RELAY_SCHEME_UNSUPPORTED: toClient(400, 'no'),
  RELAY_HOST_UNKNOWN: toClient(403, 'no'),
  RELAY_LOOP: toClient(508, 'no'),
  RELAY_OPTION_INVALID: toClient(400, 'no'),
  RELAY_HEAD_INVALID: toClient(400, 'no'),
  RELAY_REQUEST_INVALID: toClient(400, 'no'),
  RELAY_REQUEST_TOO_LARGE: toClient(431, 'no'),
  RELAY_REQUEST_TIMEOUT: toClient(408, 'no'),
  RELAY_EXPECTATION_FAILED: toClient(417, 'no'),
  RELAY_UPGRADE_UNSUPPORTED: toClient(501, 'no'),
  RELAY_CONNECTION_AUTH_UNSUPPORTED: toClient(501, 'varies'),
  RELAY_METHOD_UNSUPPORTED: toClient(405, 'no'),
  RELAY_VERSION_UNSUPPORTED: toClient(505, 'no'),
  RELAY_BODY_IDLE: toClient(408, 'varies'),
  RELAY_BODY_TOO_LARGE: toClient(413, 'no'),
  RELAY_MESSAGE_TOO_LONG: toClient(413, 'maybe'),
  RELAY_BUSY: toClient(503, 'varies'),
  RELAY_CLIENT_LIMITED: toClient(429, 'no'),
  RELAY_PATH_REFUSED: toClient(400, 'no'),
  RELAY_ROUTE_UNKNOWN: toClient(404, 'no'),
  RELAY_PAIR_REFUSED: toClient(502, 'varies'),
  RELAY_PEER_UNAVAILABLE: toClient(503, 'no'),
  RELAY_PEER_UNREACHABLE: toClient(502, 'varies'),
  RELAY_PEER_CONNECT_TIMEOUT: toClient(504, 'varies'),
  RELAY_PEER_PROXY_UNREACHABLE: toClient(502, 'varies'),
  RELAY_PEER_PROXY_TIMEOUT: toClient(504, 'varies'),
  RELAY_PEER_PROXY_AUTH_FAILED: toClient(502, 'varies'),
  RELAY_PEER_PROXY_REFUSED: toClient(502, 'varies'),
  RELAY_PEER_TIMEOUT: toClient(504, 'varies'),
  RELAY_CHANNEL_UNAVAILABLE: toClient(502, 'varies'),
  RELAY_PEER_STALLED: toClient(504, 'maybe'),
  RELAY_PEER_STORE_UNAVAILABLE: toClient(503, 'varies'),
  RELAY_PEER_CONNECTION_LOST: toClient(502, 'varies'),
  RELAY_PEER_ANSWER_INVALID: toClient(502, 'varies'),
  RELAY_PEER_ANSWER_TOO_LARGE: toClient(502, 'maybe'),
  RELAY_PEER_REFUSED_MESSAGE: toClient(502, 'varies'),
  RELAY_UPSTREAM_UNREACHABLE: toClient(502, 'no'),
  RELAY_UPSTREAM_CONNECT_TIMEOUT: toClient(504, 'no'),
  RELAY_UPSTREAM_TIMEOUT: toClient(504, 'maybe'),
  RELAY_UPSTREAM_STALLED: toClient(504, 'maybe'),
  RELAY_UPSTREAM_FAILED: toClient(502, 'maybe'),
  RELAY_INTERNAL: toClient(500, 'maybe'),

  RELAY_SESSION_EXPIRED: toRelay(RelayStatus.SESSION_EXPIRED, 'p=0'),
  RELAY_SESSION_REFUSED: toRelay(RelayStatus.SESSION_EXPIRED, 'p=0'),
  RELAY_SESSION_UNKNOWN: toRelay(RelayStatus.SESSION_UNKNOWN, 'p=1'),
  RELAY_RESPONSE_UNENCODABLE: toRelay(RelayStatus.ENCODE_FAILED, 'p=1'),
  RELAY_MESSAGE_UNREADABLE: toRelay(RelayStatus.DECODE_FAILED, 'p=0'),
  RELAY_MESSAGE_LATE: toRelay(RelayStatus.DECODE_FAILED, 'p=0'),
  RELAY_MESSAGE_BROKEN: toRelay(RelayStatus.DECODE_FAILED, 'p=1'),
  RELAY_PAIR_KEY_INVALID: toRelay(RelayStatus.DECODE_FAILED, 'p=0'),
  RELAY_STORE_UNAVAILABLE: toRelay(RelayStatus.STORE_UNAVAILABLE, 'p=1'),
  RELAY_PAIR_STORE_UNAVAILABLE: toRelay(RelayStatus.STORE_UNAVAILABLE, 'p=0'),
  RELAY_OVERLOADED: toRelay(RelayStatus.OVERLOADED, 'p=0'),
  RELAY_PAIR_LIMIT: toRelay(RelayStatus.OVERLOADED, 'p=0'),
  RELAY_MESSAGE_REPLAYED: toRelay(RelayStatus.REPLAYED, 'p=1'),
  RELAY_PAIR_REPLAYED: toRelay(RelayStatus.REPLAYED, 'p=0'),
  RELAY_CLOCK_SKEW: toRelay(RelayStatus.SENDER_REFUSED, 'p=0'),
  RELAY_HEADER_MALFORMED: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_SENDER_INVALID: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_PAIR_MALFORMED: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_SENDER_SELF: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_AUDIENCE_REFUSED: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_SESSION_BLOB_INVALID: toRelay(RelayStatus.SENDER_REFUSED, 'unsigned'),
  RELAY_MARK_FAILED: toRelay(RelayStatus.MARK_FAILED, 'p=1'),
  RELAY_PAIR_NOT_SAVED: toRelay(RelayStatus.SESSION_NOT_SAVED, 'p=0'),
  RELAY_HEADER_MISSING: toRelay(RelayStatus.HEADER_MISSING, 'unsigned'),

  RELAY_CONFIG_INVALID: notReported,
  RELAY_CHANNEL_BROKEN: notReported,
  RELAY_RECORD_MALFORMED: notReported,
  RELAY_RECORD_UNAUTHENTIC: notReported,
  RELAY_MESSAGE_TRUNCATED: notReported,
  RELAY_BODY_ABORTED: notReported,
  RELAY_CLIENT_GONE: notReported,
  RELAY_PEER_GONE: notReported,
} as const satisfies Readonly<Record<`RELAY_${string}`, ErrorEntry>>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;

/** The code of a fault in the relay itself. */
export const INTERNAL_CODE = 'RELAY_INTERNAL';

/**
 * What a client receives for an error: a status, and a verdict unless each error carries its own. An error that is not meant
 * for clients is reported as an internal one.
 */
export function clientOutcome(code: ErrorCode): ClientOutcome {
  const entry: ErrorEntry = ERRORS[code];
  return entry.client ?? ERRORS[INTERNAL_CODE].client;
}

/** What another relay receives for an error, or undefined if the error is none of the inbound role. */
export function relayOutcome(code: ErrorCode): RelayOutcome | undefined {
  const entry: ErrorEntry = ERRORS[code];
  return entry.relay;
}
