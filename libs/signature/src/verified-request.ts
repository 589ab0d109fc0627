import type { IncomingMessage } from 'node:http';

import type { TunnelHeader } from '@relay/protocol';

import type { VerifiedSender } from './sender-signature.js';

/** A tunnel request whose sender has been verified; its body has not been read. */
export interface VerifiedTunnelRequest {
  readonly purpose: 'tunnel';
  readonly sender: VerifiedSender;
  /** The decoded `x-mte-relay` of the request. */
  readonly header: TunnelHeader;
  /** The value of `x-mte-relay` for a sealed response, with a fresh salt: K_res is derived from it. */
  readonly responseHeader: string;
}

/** A pairing request whose sender has been verified. */
export interface VerifiedPairRequest {
  readonly purpose: 'pair';
  readonly sender: VerifiedSender;
  /** The whole body, which the signature covers. */
  readonly body: Buffer;
}

/** A request to the inbound role whose sender has been verified. `purpose` tells the two apart. */
export type VerifiedRequest = VerifiedTunnelRequest | VerifiedPairRequest;

const VERIFIED = Symbol('verified request');

type Carrier = IncomingMessage & { [VERIFIED]?: VerifiedRequest };

/** Attaches to a request what has been verified. Only the interceptors of this library may call this. */
export function attachSender(request: IncomingMessage, verified: VerifiedRequest): void {
  (request as Carrier)[VERIFIED] = verified;
}

/** Returns what an interceptor has verified about this request, or undefined if no interceptor has accepted it. */
export function verifiedRequest(request: IncomingMessage): VerifiedRequest | undefined {
  return (request as Carrier)[VERIFIED];
}

/**
 * Returns what the interceptor of this purpose has verified about the request, for the handlers behind it.
 *
 * @throws Error if the route has no interceptor of this purpose, which is a programming error
 */
export function verifiedRequestFor<P extends VerifiedRequest['purpose']>(
  request: IncomingMessage,
  purpose: P,
): Extract<VerifiedRequest, { purpose: P }> {
  const verified = verifiedRequest(request);
  if (verified?.purpose !== purpose) {
    throw new Error(`this route has no interceptor that verifies a ${purpose} request`);
  }
  return verified as Extract<VerifiedRequest, { purpose: P }>;
}
