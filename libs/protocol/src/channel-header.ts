import { AGE, B64_16, SEQUENCE } from './header-patterns.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';
import { MAX_SEQUENCE, type TunnelHeader } from './tunnel-header.js';

const OPENING = new RegExp(
  `^1\\.(${B64_16})\\.(${SEQUENCE})\\.(${AGE})\\.(chan|conn)\\.${B64_16}$`,
);

/** What a channel carries: `chan` many exchanges, `conn` one upgraded connection. protocol.md section 11.1. */
export type ChannelType = 'chan' | 'conn';

/** What `x-mte-relay` of an opening says; each part is as in that of a tunnel request. protocol.md section 11.1. */
export interface ChannelHeaderFields extends Pick<TunnelHeader, 'sid' | 'sequence' | 'ageSeconds'> {
  readonly type: ChannelType;
}

/** The decoded `x-mte-relay` of an opening. protocol.md section 11.1. */
export interface ChannelHeader extends ChannelHeaderFields {
  /** The value exactly as received: the keys of the channel are derived from it. */
  readonly raw: string;
}

/**
 * Decodes the `x-mte-relay` of an opening. protocol.md section 11.1.
 *
 * @throws RelayHeaderMalformedError if the value does not match the pattern, or the sequence number exceeds 2^20 − 1
 */
export function parseChannelHeader(raw: string): ChannelHeader {
  const match = OPENING.exec(raw);
  if (match === null) {
    throw new RelayHeaderMalformedError('the header of an opening does not match its pattern');
  }
  const [, sid, digits, age, type] = match as unknown as [
    string,
    string,
    string,
    string,
    ChannelType,
  ];
  const sequence = Number(digits);
  if (sequence > MAX_SEQUENCE) {
    throw new RelayHeaderMalformedError(
      `sequence number ${sequence} exceeds the limit of ${MAX_SEQUENCE}`,
    );
  }
  return { raw, sid, sequence, ageSeconds: Number(age), type };
}

/**
 * Encodes the `x-mte-relay` of an opening. Its parts are not validated here. protocol.md section 11.1.
 *
 * @param fields - `sequence` never used before in this session
 * @param salt - 16 random bytes, fresh for every opening
 */
export function formatChannelHeader(fields: ChannelHeaderFields, salt: Buffer): string {
  const { sid, sequence, ageSeconds, type } = fields;
  return `1.${sid}.${sequence}.${ageSeconds}.${type}.${salt.toString('base64url')}`;
}
