import type { IncomingMessage } from 'node:http';

import type { ChannelHeader, TunnelHeader } from '@relay/protocol';

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

/** The opening of a channel, whose sender has been verified. */
export interface VerifiedOpening {
  readonly purpose: 'channel';
  readonly sender: VerifiedSender;
  /** The decoded `x-mte-relay` of the opening. */
  readonly header: ChannelHeader;
  /** The value of `x-mte-relay` for a 101, with a fresh salt: K_res is derived from it. */
  readonly responseHeader: string;
}

/** A pairing request whose sender has been verified. */
export interface VerifiedPairRequest {
  readonly purpose: 'pair';
  readonly sender: VerifiedSender;
  /** The whole body, which the signature covers. */
  readonly body: Buffer;
}

/** A request to the inbound role whose sender has been verified. `purpose` tells them apart. */
export type VerifiedRequest = VerifiedTunnelRequest | VerifiedOpening | VerifiedPairRequest;

/** The headers of a pairing request. They are well-formed, but nothing is verified before the body has been read. */
export interface PairHeaders {
  readonly clientIdHeader: string;
  readonly relayHeader: string;
  /** At most MAX_PAIR_REQUEST_BYTES. */
  readonly bodyBytes: number;
}

const VERIFIED = Symbol('verified request');
const PAIR_HEADERS = Symbol('headers of a pairing request');

type Carrier = IncomingMessage & { [VERIFIED]?: VerifiedRequest; [PAIR_HEADERS]?: PairHeaders };

/** Attaches the headers of a pairing request. Only PairSenderInterceptor may call this. */
export function attachPairHeaders(request: IncomingMessage, headers: PairHeaders): void {
  (request as Carrier)[PAIR_HEADERS] = headers;
}

/**
 * Returns the headers of a pairing request as PairSenderInterceptor has checked them, for the handler behind it.
 *
 * @throws Error if the route does not have that interceptor, which is a programming error
 */
export function checkedPairHeaders(request: IncomingMessage): PairHeaders {
  const headers = (request as Carrier)[PAIR_HEADERS];
  if (headers === undefined) {
    throw new Error('this route has no interceptor that checks the headers of a pairing request');
  }
  return headers;
}

/**
 * Attaches to a request what has been verified. Only this library may call this: TunnelSenderInterceptor, and for a pairing
 * request `readPairRequest`, because its signature covers the body.
 */
export function attachSender(request: IncomingMessage, verified: VerifiedRequest): void {
  (request as Carrier)[VERIFIED] = verified;
}

/** Returns what this library has verified about the request, or undefined if its sender has not been verified (yet). */
export function verifiedRequest(request: IncomingMessage): VerifiedRequest | undefined {
  return (request as Carrier)[VERIFIED];
}

/**
 * Returns what this library has verified about a request of this purpose.
 *
 * @throws Error if the sender of no such request has been verified: the route lacks TunnelSenderInterceptor, or calls this
 *   before `readPairRequest`, which is a programming error
 */
export function verifiedRequestFor<P extends VerifiedRequest['purpose']>(
  request: IncomingMessage,
  purpose: P,
): Extract<VerifiedRequest, { purpose: P }> {
  const verified = verifiedRequest(request);
  if (verified?.purpose !== purpose) {
    throw new Error(`the sender of a ${purpose} request has not been verified on this route`);
  }
  return verified as Extract<VerifiedRequest, { purpose: P }>;
}
