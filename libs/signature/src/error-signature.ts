import type { SecretKeys } from '@relay/protocol';

import { isSameMac, macOf } from './mac.js';

const PATTERN = /^1\.error\.(5[56]\d)\.([01])\.(\d{13})\.([A-Za-z0-9_-]{43})$/;

/** What the inbound role states about one failed message. protocol.md sections 2 and 8. */
export interface SignedError {
  /** 559 … 569, and the HTTP status of the answer. */
  readonly status: number;
  /** p = 0: this message was not forwarded and never can be. */
  readonly isNeverForwarded: boolean;
  /** The inbound relay's clock: milliseconds since 1970. */
  readonly unixMs: number;
}

/**
 * @param clientIdHeader - the failed request's whole `x-mte-client-id`, whose own MAC covers the message's salt
 * @returns the value of `x-mte-relay` of the answer
 */
export function signError(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  statement: SignedError,
): string {
  const p = statement.isNeverForwarded ? 0 : 1;
  const mac = errorMac(secretKeys, clientIdHeader, statement.status, p, statement.unixMs);
  return `1.error.${statement.status}.${p}.${statement.unixMs}.${mac}`;
}

/**
 * @param relayHeader - `x-mte-relay` of the answer
 * @param httpStatus - the answer's own status, which has to be the signed one
 * @returns the statement, or undefined where it is none or does not verify for this request: then it says nothing
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
