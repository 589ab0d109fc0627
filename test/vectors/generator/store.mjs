/** A stored session: docs/protocol.md, section 5. */
import { Buffer } from 'node:buffer';

import { bytes, lp, octets, sealed, sha256, uint } from './notation.mjs';

const BLOB_BYTES = 164;
export const BIT_0 = BLOB_BYTES * 8;

export const audienceHash = (audience) => sha256(bytes(audience)).subarray(0, 16);

export function storedSession({ keys, clientId, session, audience, epoch, nonce, exp, lifetime }) {
  const plaintext = Buffer.concat([
    session.k_c2s,
    session.k_s2c,
    uint(exp, 8),
    uint(lifetime, 4),
    audienceHash(audience),
  ]);
  const aad = lp('mte-relay/1 store', session.sid, `${keys.kid}.${clientId}`, epoch);
  const head = Buffer.concat([bytes(epoch), octets(keys.kid), nonce]);
  const blob = Buffer.concat([head, sealed(keys.k_store, nonce, aad, plaintext)]);
  return { aad, plaintext, blob, markArgv2: head };
}

/** The string in Redis after SETBIT of these numbers: blob || bitmap, as long as the highest number makes it. */
export function markedString(blob, numbers) {
  const string = Buffer.alloc(Math.max(blob.length, ...numbers.map((n) => byteOf(n) + 1)));
  blob.copy(string);
  for (const n of numbers) {
    string[byteOf(n)] |= maskOf(n);
  }
  return string;
}

// SETBIT counts bits from the most significant one of an octet.
const byteOf = (n) => Math.floor((BIT_0 + n) / 8);
const maskOf = (n) => 0x80 >> ((BIT_0 + n) % 8);
export const bitOf = (n) => ({ number: n, bit: BIT_0 + n, octet: byteOf(n), mask: maskOf(n) });
