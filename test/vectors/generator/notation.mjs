/** The functions in the notation of docs/protocol.md: LP, b64, HMAC, HKDF. */
import { Buffer } from 'node:buffer';
import { createCipheriv, createHash, createHmac } from 'node:crypto';

export const bytes = (value) =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
export const octets = (hex) => Buffer.from(hex, 'hex');
export const repeated = (octet, length) => Buffer.alloc(length, octet);
export const b64 = (value) => Buffer.from(value).toString('base64url');
export const sha256 = (value) => createHash('sha256').update(value).digest();
export const hmac = (key, ...parts) =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
export const expand = (key, ...info) => hmac(key, ...info, Buffer.of(1));

/** A big-endian integer of `length` octets, of which at most six are not zero. */
export function uint(value, length) {
  const target = Buffer.alloc(length);
  target.writeUIntBE(value, Math.max(0, length - 6), Math.min(length, 6));
  return target;
}

export const lp = (...parts) =>
  Buffer.concat(parts.flatMap((part) => [uint(bytes(part).length, 4), bytes(part)]));

/** AES-256-GCM: ciphertext || tag. */
export function sealed(key, nonce, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}
