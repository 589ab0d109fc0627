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
 * @param proof - for an error about a message: from `deriveProof` over the keys of its session. It is signed if p is 0
 * @returns the value of `x-mte-relay` for the response
 */
export function signError(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  error: SignedError,
  proof?: Buffer,
): string {
  const p = error.isNeverForwarded ? 0 : 1;
  const parts = [clientIdHeader, error.status, p, error.unixMs, ...proofFor(p, proof)];
  const mac = errorMac(secretKeys, parts);
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
 * @param proof - for an error about a message: from `deriveProof` over the keys that the message was sealed with
 * @returns the signed error, or undefined if the header is not one or does not verify for this request
 */
export function verifyError(
  secretKeys: SecretKeys,
  clientIdHeader: string,
  relayHeader: string,
  httpStatus: number,
  proof?: Buffer,
): SignedError | undefined {
  const match = PATTERN.exec(relayHeader);
  if (match === null) {
    return undefined;
  }
  const [, status, p, unixMs, mac] = match as unknown as [string, string, string, string, string];
  const parts = [clientIdHeader, status, p, unixMs, ...proofFor(Number(p), proof)];
  const isAuthentic = isSameMac(mac, errorMac(secretKeys, parts));
  if (!isAuthentic || Number(status) !== httpStatus) {
    return undefined;
  }
  return { status: httpStatus, isNeverForwarded: p === '0', unixMs: Number(unixMs) };
}

/** Only what is said about a message for all time is bound to its session: a relay that has lost a session says p = 1. */
function proofFor(p: number, proof: Buffer | undefined): readonly Buffer[] {
  return p === 0 && proof !== undefined ? [proof] : [];
}

function errorMac(secretKeys: SecretKeys, parts: readonly (string | number | Buffer)[]): string {
  return macOf(secretKeys.error, 'mte-relay/1 error', ...parts);
}
