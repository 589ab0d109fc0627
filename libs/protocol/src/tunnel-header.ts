import { RelayHeaderMalformedError } from './protocol.errors.js';

/** The largest sequence number that the format can carry: 2^20 − 1. protocol.md section 2. */
export const MAX_SEQUENCE = 2 ** 20 - 1;

/** Bytes of a salt and of a session id. */
export const SALT_BYTES = 16;

/** base64url of 16 bytes has four unused bits in its last character; only the canonical form is accepted. */
const B64_16 = '[A-Za-z0-9_-]{21}[AQgw]';
const REQUEST = new RegExp(`^1\\.(${B64_16})\\.([1-9][0-9]{0,6})\\.(mke|mte)\\.${B64_16}$`);
const RESPONSE = new RegExp(`^1\\.${B64_16}$`);

/** How the receiver of a message releases it: record by record, or whole. protocol.md section 6. */
export type MessageType = 'mke' | 'mte';

/** `x-mte-relay` of a tunnel request. protocol.md section 2. */
export interface TunnelHeader {
  /** The header's value as it stood on the wire: the message keys are derived from it. */
  readonly raw: string;
  readonly sid: string;
  /** 1 … 2^20 − 1. */
  readonly sequence: number;
  readonly type: MessageType;
}

/** @throws RelayHeaderMalformedError where the value does not match the pattern or the sequence number is too large. */
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

/** @param salt - 16 random bytes, fresh for every message */
export function formatTunnelHeader(
  sid: string,
  sequence: number,
  type: MessageType,
  salt: Buffer,
): string {
  return `1.${sid}.${sequence}.${type}.${salt.toString('base64url')}`;
}

/** @param salt - 16 random bytes, fresh for every answer */
export function formatResponseHeader(salt: Buffer): string {
  return `1.${salt.toString('base64url')}`;
}

/** Whether a peer's answer claims to be a sealed response; its records have yet to prove it. */
export function isResponseHeader(raw: string): boolean {
  return RESPONSE.test(raw);
}

/** What both relays call one message in their logs: the first 8 characters of the session id, and the sequence number. */
export function exchangeName({ sid, sequence }: Pick<TunnelHeader, 'sid' | 'sequence'>): string {
  return `${sid.slice(0, 8)}-${sequence}`;
}
