import { RelayHeaderMalformedError } from './protocol.errors.js';

const PATTERN = /^([0-9a-f]{8})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;

/** The decoded value of `x-mte-client-id`: `kid "." clientId "." mac`. protocol.md section 2. */
export interface ClientIdHeader {
  /** The value exactly as received: pairing transcripts and the MACs of signed errors cover it. */
  readonly raw: string;
  /** Names the secret that the sender signed with: 8 lower-case hexadecimal digits. */
  readonly kid: string;
  /** `kid "." clientId`: identifies the sender in its MAC, in the session store and in the key exchange. */
  readonly identity: string;
  /** The sender's MAC, not verified yet: 43 characters of base64url. Compare it as text; its bytes are ambiguous. */
  readonly mac: string;
}

/**
 * Decodes `x-mte-client-id`. The result is unauthenticated until the MAC has been verified. protocol.md section 2.
 *
 * @throws RelayHeaderMalformedError if the value does not match the pattern; two values that Node.js joined never do
 */
export function parseClientIdHeader(raw: string): ClientIdHeader {
  const match = PATTERN.exec(raw);
  if (match === null) {
    throw new RelayHeaderMalformedError('client id header does not match its pattern');
  }
  const [, kid, clientId, mac] = match as unknown as [string, string, string, string];
  return { raw, kid, identity: `${kid}.${clientId}`, mac };
}

/**
 * Encodes `x-mte-client-id`. Its parts are not validated here. protocol.md section 2.
 *
 * @param identity - `kid "." clientId` of this relay
 * @param mac - the sender's MAC: 43 characters of base64url
 */
export function formatClientIdHeader(identity: string, mac: string): string {
  return `${identity}.${mac}`;
}
