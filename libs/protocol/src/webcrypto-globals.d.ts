import type { webcrypto } from 'node:crypto';

/** The HPKE library's types name the browser's globals, which Node.js's own types keep in a module. */
declare global {
  type CryptoKey = webcrypto.CryptoKey;
  type CryptoKeyPair = webcrypto.CryptoKeyPair;
}
