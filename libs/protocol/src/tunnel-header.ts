import { RelayHeaderMalformedError } from './protocol.errors.js';

/** The largest sequence number that the header can carry: 2^20 − 1. protocol.md section 2. */
export const MAX_SEQUENCE = 2 ** 20 - 1;

/** Length of a salt and of a session id: 16 bytes. protocol.md section 2. */
export const SALT_BYTES = 16;

/**
 * The last base64url character of 16 bytes has four unused bits; only the canonical form, with zeros there, matches.
 */
const B64_16 = '[A-Za-z0-9_-]{21}[AQgw]';
const REQUEST = new RegExp(`^1\\.(${B64_16})\\.([1-9][0-9]{0,6})\\.(mke|mte)\\.${B64_16}$`);
const RESPONSE = new RegExp(`^1\\.${B64_16}$`);

/**
 * How the receiver of a message releases it: `mke` record by record, as soon as each is authenticated; `mte` only once
 * the last record has verified. protocol.md section 6.
 */
export type MessageType = 'mke' | 'mte';

/** The decoded `x-mte-relay` of a tunnel request. protocol.md section 2. */
export interface TunnelHeader {
  /** The value exactly as received: the message keys are derived from it. */
  readonly raw: string;
  /** The session id: 16 bytes as 22 characters of canonical base64url. */
  readonly sid: string;
  /** The message's sequence number in its session: 1 … 2^20 − 1. */
  readonly sequence: number;
  /** How this message and its response are released. */
  readonly type: MessageType;
}

/**
 * Decodes the `x-mte-relay` of a tunnel request. protocol.md section 2.
 *
 * @throws RelayHeaderMalformedError if the value does not match the pattern or the sequence number exceeds 2^20 − 1
 */
export function parseTunnelHeader(raw: string): TunnelHeader {
  const match = REQUEST.exec(raw);
  if (match === null) {
    throw new RelayHeaderMalformedError('tunnel header does not match its pattern');
  }
  const [, sid, digits, type] = match as unknown as [string, string, string, MessageType];
  const sequence = Number(digits);
  if (sequence > MAX_SEQUENCE) {
    throw new RelayHeaderMalformedError(
      `sequence number ${sequence} exceeds the limit of ${MAX_SEQUENCE}`,
    );
  }
  return { raw, sid, sequence, type };
}

/**
 * Encodes the `x-mte-relay` of a tunnel request. Its parts are not validated here. protocol.md section 2.
 *
 * @param sid - the session id: 22 characters of base64url
 * @param sequence - 1 … 2^20 − 1, never used before in this session
 * @param salt - 16 random bytes, fresh for every message
 */
export function formatTunnelHeader(
  sid: string,
  sequence: number,
  type: MessageType,
  salt: Buffer,
): string {
  return `1.${sid}.${sequence}.${type}.${salt.toString('base64url')}`;
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
