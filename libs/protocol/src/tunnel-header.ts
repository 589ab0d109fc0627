import { AGE, B64_16, SEQUENCE } from './header-patterns.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';

/** The largest sequence number that the header can carry: 2^20 − 1. protocol.md section 2. */
export const MAX_SEQUENCE = 2 ** 20 - 1;

/** Length of a salt and of a session id: 16 bytes. protocol.md section 2. */
export const SALT_BYTES = 16;

/** The largest age that the header can carry, in seconds: longer than any session lives. protocol.md section 2. */
export const MAX_AGE_SECONDS = 99_999;

const REQUEST = new RegExp(
  `^1\\.(${B64_16})\\.(${SEQUENCE})(?:r(${SEQUENCE}))?\\.(${AGE})\\.(mke|mte|check)\\.${B64_16}$`,
);
const RESPONSE = new RegExp(`^1\\.${B64_16}$`);

/**
 * How the receiver of a message releases it: `mke` record by record, as soon as each is authenticated; `mte` only once
 * the last record has verified. protocol.md section 6.
 */
export type MessageType = 'mke' | 'mte';

/** What a tunnel request is: a message of either type, or a check of its session. protocol.md sections 2 and 8. */
export type TunnelRequestType = MessageType | 'check';

/** What `x-mte-relay` of a tunnel request says. protocol.md section 2. */
export interface TunnelHeaderFields {
  /** The session id: 16 bytes as 22 characters of canonical base64url. */
  readonly sid: string;
  /** The sequence number in its session: 1 … 2^20 − 1. */
  readonly sequence: number;
  /** The number of the message that this one replaces: 1 … sequence − 1. Never with type `check`. */
  readonly replaces?: number | undefined;
  /** Whole seconds since the sender received the session's pairing response: 0 … 99,999. */
  readonly ageSeconds: number;
  readonly type: TunnelRequestType;
}

/** The decoded `x-mte-relay` of a tunnel request. protocol.md section 2. */
export interface TunnelHeader extends TunnelHeaderFields {
  /** The value exactly as received: the message keys are derived from it. */
  readonly raw: string;
}

/**
 * Decodes the `x-mte-relay` of a tunnel request. protocol.md section 2.
 *
 * @throws RelayHeaderMalformedError if the value does not match the pattern, a sequence number exceeds 2^20 − 1, the replaced
 *   number is not smaller than the message's own, or a check replaces anything
 */
export function parseTunnelHeader(raw: string): TunnelHeader {
  const match = REQUEST.exec(raw);
  if (match === null) {
    throw new RelayHeaderMalformedError('tunnel header does not match its pattern');
  }
  const [, sid, digits, replacedDigits, age, type] = match as unknown as [
    string,
    string,
    string,
    string | undefined,
    string,
    TunnelRequestType,
  ];
  const sequence = Number(digits);
  const replaces = replacedDigits === undefined ? undefined : Number(replacedDigits);
  if (sequence > MAX_SEQUENCE) {
    throw new RelayHeaderMalformedError(
      `sequence number ${sequence} exceeds the limit of ${MAX_SEQUENCE}`,
    );
  }
  if (replaces !== undefined && (replaces >= sequence || type === 'check')) {
    throw new RelayHeaderMalformedError('tunnel header replaces what it cannot replace');
  }
  return { raw, sid, sequence, replaces, ageSeconds: Number(age), type };
}

/**
 * Encodes the `x-mte-relay` of a tunnel request. Its parts are not validated here. protocol.md section 2.
 *
 * @param fields - `sequence` never used before in this session
 * @param salt - 16 random bytes, fresh for every message
 */
export function formatTunnelHeader(fields: TunnelHeaderFields, salt: Buffer): string {
  const { sid, sequence, replaces, ageSeconds, type } = fields;
  const number = replaces === undefined ? `${sequence}` : `${sequence}r${replaces}`;
  return `1.${sid}.${number}.${ageSeconds}.${type}.${salt.toString('base64url')}`;
}

/**
 * Encodes the `x-mte-relay` of a sealed response. protocol.md section 2.
 *
 * @param salt - 16 random bytes, fresh for every response
 */
export function formatResponseHeader(salt: Buffer): string {
  return `1.${salt.toString('base64url')}`;
}

/**
 * Whether this `x-mte-relay` has the form of a sealed response. It proves nothing: only the records authenticate the
 * response. protocol.md section 2.
 */
export function isResponseHeader(raw: string): boolean {
  return RESPONSE.test(raw);
}

/**
 * The name under which both relays log one request and its response: the first 8 characters of the session id, a hyphen
 * and the sequence number.
 */
export function exchangeName({ sid, sequence }: Pick<TunnelHeader, 'sid' | 'sequence'>): string {
  return `${sid.slice(0, 8)}-${sequence}`;
}
