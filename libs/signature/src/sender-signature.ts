import { createHash } from 'node:crypto';

import {
  formatClientIdHeader,
  parseClientIdHeader,
  type AcceptedKeys,
  type ClientIdHeader,
  type SecretKeys,
} from '@relay/protocol';

import { isSameMac, macOf } from './mac.js';
import { SenderInvalidError } from './signature.errors.js';

/**
 * What a signature covers besides the sender and the relay header: the body of a pairing request, but not that of a
 * tunnel request, whose records authenticate themselves.
 */
export type SignedPurpose =
  { readonly purpose: 'pair'; readonly body: Uint8Array } | { readonly purpose: 'tunnel' };

/** A sender whose signature has been verified. */
export interface VerifiedSender {
  /** The whole `x-mte-client-id` value, to which the pairing transcript and signed errors are bound. */
  readonly clientIdHeader: string;
  /** `kid "." clientId`. */
  readonly identity: string;
  /** The keys of the secret that the sender signed with. Responses and signed errors to it use the same keys. */
  readonly secretKeys: SecretKeys;
}

/**
 * Signs a request to the inbound role. Nothing in the signature is random. protocol.md section 2.
 *
 * @param clientId - 1–64 characters of base64url
 * @param relayHeader - the value of `x-mte-relay` of the same request
 * @param signed - what else the signature covers
 * @returns the value of `x-mte-client-id`
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
 * The first step of `verifySender`, which needs no body: finds the keys that the kid of the header names. An attacker
 * without the secret can know its kid only from a request seen on the network path.
 *
 * @throws RelayHeaderMalformedError if the header does not match its pattern
 * @throws SenderInvalidError if this relay knows no secret with that kid
 */
export function keysByKid(accepted: AcceptedKeys, clientIdHeader: string): SecretKeys {
  return keysOf(accepted, parseClientIdHeader(clientIdHeader));
}

/**
 * Verifies that the sender of a request holds a secret that this relay accepts. protocol.md section 2.
 *
 * @param clientIdHeader - the whole value of `x-mte-client-id`
 * @param relayHeader - the value of `x-mte-relay` of the same request
 * @param signed - what else the signature has to cover
 * @throws RelayHeaderMalformedError if the client id header does not match its pattern
 * @throws SenderInvalidError if the kid is unknown, or if the signature is not that of this request
 */
export function verifySender(
  accepted: AcceptedKeys,
  clientIdHeader: string,
  relayHeader: string,
  signed: SignedPurpose,
): VerifiedSender {
  const stated = parseClientIdHeader(clientIdHeader);
  const { identity, mac } = stated;
  const secretKeys = keysOf(accepted, stated);
  if (!isSameMac(mac, senderMac(secretKeys, identity, relayHeader, signed))) {
    throw new SenderInvalidError('the signature of the sender does not verify');
  }
  return { clientIdHeader, identity, secretKeys };
}

function keysOf(accepted: AcceptedKeys, { kid }: ClientIdHeader): SecretKeys {
  const secretKeys = accepted.find(kid);
  if (secretKeys === undefined) {
    throw new SenderInvalidError('the sender signs with a secret that is not known here');
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
