import { createHmac, timingSafeEqual } from 'node:crypto';

import { lengthPrefixed } from '@relay/protocol';

/** Returns the HMAC-SHA256 of the length-prefixed parts: 43 characters of base64url. */
export function macOf(key: Buffer, ...parts: readonly (string | number | Uint8Array)[]): string {
  return createHmac('sha256', key)
    .update(lengthPrefixed(...parts))
    .digest('base64url');
}

/** Compares two MACs in the form that the header carries: first their lengths, then their bytes in constant time. */
export function isSameMac(given: string, expected: string): boolean {
  const givenBytes = Buffer.from(given, 'latin1');
  const expectedBytes = Buffer.from(expected, 'latin1');
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes);
}
