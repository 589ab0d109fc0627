import { RelayHeaderMalformedError } from './protocol.errors.js';

const PATTERN = /^([0-9a-f]{8})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;

/** `x-mte-client-id`: `kid "." clientId "." mac`. protocol.md section 2. */
export interface ClientIdHeader {
  /** The header's value as it stood on the wire: this is what transcripts and error signatures are bound to. */
  readonly raw: string;
  readonly kid: string;
  /** `kid "." clientId`: what the sender's MAC, the store and the key exchange name the sender by. */
  readonly identity: string;
  /** 43 characters of base64url. */
  readonly mac: string;
}

/** @throws RelayHeaderMalformedError where the value does not match the pattern, as two joined values do not. */
export function parseClientIdHeader(raw: string): ClientIdHeader {
  const match = PATTERN.exec(raw);
  if (match === null) {
    throw new RelayHeaderMalformedError('client id header does not match its pattern');
  }
  const [, kid, clientId, mac] = match as unknown as [string, string, string, string];
  return { raw, kid, identity: `${kid}.${clientId}`, mac };
}

export function formatClientIdHeader(identity: string, mac: string): string {
  return `${identity}.${mac}`;
}
