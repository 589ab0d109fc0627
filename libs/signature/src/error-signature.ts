import type { SecretKeys } from '@relay/protocol';

import { isSameMac, macOf } from './mac.js';

const PATTERN = /^1\.error\.(5[56]\d)\.([01])\.(\d{13})\.([A-Za-z0-9_-]{43})$/;

/** A signed error: what the inbound role reports about one failed message. protocol.md sections 2 and 8. */
export interface SignedError {
  /** 559 … 569; also the HTTP status of the response. */
  readonly status: number;
  /** True (p = 0): this message was not forwarded and never can be. False (p = 1): it may have been, or may yet be. */
  readonly isNeverForwarded: boolean;
  /** The time by the inbound relay's clock: milliseconds since 1970, 13 digits. */
  readonly unixMs: number;
}

/**
 * Signs an error for the response to exactly one request. protocol.md section 2.
 *
 * @param secretKeys - the keys that the request was signed with
 * @param clientIdHeader - the failed request's whole `x-mte-client-id`, whose own MAC covers the message's salt
 * @returns the value of `x-mte-relay` for the response
 */
export function signError(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  error: SignedError,
): string {
  const p = error.isNeverForwarded ? 0 : 1;
  const mac = errorMac(secretKeys, clientIdHeader, error.status, p, error.unixMs);
  return `1.error.${error.status}.${p}.${error.unixMs}.${mac}`;
}

/**
 * Verifies the error in the response to one request. Never throws: a header that is malformed or does not verify proves
 * nothing about the request. protocol.md sections 2 and 8.
 *
 * @param secretKeys - the keys that the request was signed with
 * @param clientIdHeader - the request's whole `x-mte-client-id`
 * @param relayHeader - `x-mte-relay` of the response
 * @param httpStatus - the HTTP status of the response, which must equal the signed status
 * @returns the signed error, or undefined if the header is not one or does not verify for this request
 */
export function verifyError(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  relayHeader: string,
  httpStatus: number,
): SignedError | undefined {
  const match = PATTERN.exec(relayHeader);
  if (match === null) {
    return undefined;
  }
  const [, status, p, unixMs, mac] = match as unknown as [string, string, string, string, string];
  const isAuthentic = isSameMac(mac, errorMac(secretKeys, clientIdHeader, status, p, unixMs));
  if (!isAuthentic || Number(status) !== httpStatus) {
    return undefined;
  }
  return { status: httpStatus, isNeverForwarded: p === '0', unixMs: Number(unixMs) };
}

function errorMac(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  status: string | number,
  p: string | number,
  unixMs: string | number,
): string {
  return macOf(secretKeys.error, 'mte-relay/1 error', clientIdHeader, status, p, unixMs);
}
