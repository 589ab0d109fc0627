import type { webcrypto } from 'node:crypto';

/** The types of the HPKE library refer to browser globals, which the types of Node.js declare only inside a module. */
declare global {
  type CryptoKey = webcrypto.CryptoKey;
  type CryptoKeyPair = webcrypto.CryptoKeyPair;
}
