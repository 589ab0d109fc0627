import type { IncomingMessage } from 'node:http';

import type { TunnelHeader } from '@relay/protocol';

import type { VerifiedSender } from './sender-signature.js';

/** A tunnel request whose sender was verified, and the header of its answer, which K_res is derived from. */
export interface VerifiedTunnelRequest {
  readonly purpose: 'tunnel';
  readonly sender: VerifiedSender;
  readonly header: TunnelHeader;
  readonly responseHeader: string;
}

/** A pairing request whose sender was verified over this body. */
export interface VerifiedPairRequest {
  readonly purpose: 'pair';
  readonly sender: VerifiedSender;
  readonly body: Buffer;
}

export type VerifiedRequest = VerifiedTunnelRequest | VerifiedPairRequest;

const VERIFIED = Symbol('verified request');

type Carrier = IncomingMessage & { [VERIFIED]?: VerifiedRequest };

/** Keeps what an interceptor verified with the request; only the interceptors of this library call it. */
export function attachSender(request: IncomingMessage, verified: VerifiedRequest): void {
  (request as Carrier)[VERIFIED] = verified;
}

/** What the interceptor verified of this request, or undefined where it did not get so far. */
export function verifiedRequest(request: IncomingMessage): VerifiedRequest | undefined {
  return (request as Carrier)[VERIFIED];
}

/** For handlers behind the interceptor. @throws Error where a route lacks the interceptor: a mistake in our wiring */
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
