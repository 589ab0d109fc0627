import { createHash } from 'node:crypto';

import {
  formatClientIdHeader,
  parseClientIdHeader,
  type ClientIdHeader,
  type KeyRing,
  type SecretKeys,
} from '@relay/protocol';

import { isSameMac, macOf } from './mac.js';
import { SenderInvalidError } from './signature.errors.js';

/** What a signature covers besides the sender: a pairing request's body, or nothing, as records prove themselves. */
export type SignedPurpose =
  { readonly purpose: 'pair'; readonly body: Uint8Array } | { readonly purpose: 'tunnel' };

/** A sender whose signature has been verified. */
export interface VerifiedSender {
  /** The whole `x-mte-client-id` value: what transcripts and error signatures are bound to. */
  readonly clientIdHeader: string;
  /** `kid "." clientId`. */
  readonly identity: string;
  /** Keys of the secret that the sender holds; answers to it are made with the same. */
  readonly secretKeys: SecretKeys;
}

/**
 * @param clientId - 1–64 characters of base64url
 * @param relayHeader - the value of `x-mte-relay` that goes with it
 * @returns the value of `x-mte-client-id`. protocol.md section 2
 */
export function signSender(
  secretKeys: SecretKeys,
  clientId: string,
  relayHeader: string,
  signed: SignedPurpose,
): string {
  const identity = `${secretKeys.kid}.${clientId}`;
  return formatClientIdHeader(identity, senderMac(secretKeys, identity, relayHeader, signed));
}

/**
 * The first part of `verifySender`, for before there is a body: whoever holds no secret does not know its kid, unless
 * he has seen it on the path.
 *
 * @throws RelayHeaderMalformedError where the header does not match its pattern
 * @throws SenderInvalidError where the kid is unknown
 */
export function statedKeys(keyRing: KeyRing, clientIdHeader: string): SecretKeys {
  return keysOf(keyRing, parseClientIdHeader(clientIdHeader));
}

/**
 * @throws RelayHeaderMalformedError where the header does not match its pattern
 * @throws SenderInvalidError where the kid is unknown or the signature is not that of this message
 */
export function verifySender(
  keyRing: KeyRing,
  clientIdHeader: string,
  relayHeader: string,
  signed: SignedPurpose,
): VerifiedSender {
  const stated = parseClientIdHeader(clientIdHeader);
  const { identity, mac } = stated;
  const secretKeys = keysOf(keyRing, stated);
  if (!isSameMac(mac, senderMac(secretKeys, identity, relayHeader, signed))) {
    throw new SenderInvalidError('the signature of the sender does not verify');
  }
  return { clientIdHeader, identity, secretKeys };
}

function keysOf(keyRing: KeyRing, { kid }: ClientIdHeader): SecretKeys {
  const secretKeys = keyRing.find(kid);
  if (secretKeys === undefined) {
    throw new SenderInvalidError('the sender signs with a CLIENT_ID_SECRET that is not known here');
  }
  return secretKeys;
}

function senderMac(
  secretKeys: SecretKeys,
  identity: string,
  relayHeader: string,
  signed: SignedPurpose,
): string {
  const bodyHash =
    signed.purpose === 'pair' ? createHash('sha256').update(signed.body).digest() : '';
  return macOf(
    secretKeys.sender,
    'mte-relay/1 sender',
    signed.purpose,
    identity,
    relayHeader,
    bodyHash,
  );
}
