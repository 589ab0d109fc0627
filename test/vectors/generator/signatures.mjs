/** The keys of a secret, and the headers that they sign: docs/protocol.md, sections 1 and 2. */
import { scryptSync } from 'node:crypto';

import { b64, bytes, expand, hmac, lp, repeated, sha256 } from './notation.mjs';

/** `root` is not among the keys that a relay keeps. */
export const secretRoot = (secret) =>
  scryptSync(bytes(secret), 'mte-relay/1 root', 32, {
    N: 2 ** 15,
    r: 8,
    p: 1,
    maxmem: 64 * 1024 * 1024,
  });

export function secretKeys(secret) {
  const root = secretRoot(secret);
  const derive = (label) => expand(root, `mte-relay/1 ${label}`);
  return {
    kid: derive('kid').subarray(0, 4).toString('hex'),
    k_sender: derive('sender'),
    k_error: derive('error'),
    k_store: derive('store'),
    psk: derive('psk'),
  };
}

function clientIdHeader(keys, purpose, clientId, relayHeader, bodyHash) {
  const identity = `${keys.kid}.${clientId}`;
  const signed = lp('mte-relay/1 sender', purpose, identity, relayHeader, bodyHash);
  return `${identity}.${b64(hmac(keys.k_sender, signed))}`;
}
export const signedPairing = (keys, clientId, body) =>
  clientIdHeader(keys, 'pair', clientId, '1', sha256(body));
export const signedMessage = (keys, clientId, relayHeader) =>
  clientIdHeader(keys, 'tunnel', clientId, relayHeader, '');

/** What binds an error with p=0 about a message to the session that the responder opened. */
export const sessionProof = (session) => hmac(session.k_s2c, 'mte-relay/1 proof');

/** @param proof - the last element of what is signed; an error has none with p=1, and about a pairing */
export function errorHeader(keys, requestClientIdHeader, status, p, unixMs, ...proof) {
  const signed = [status, p, unixMs].map(String);
  const elements = ['mte-relay/1 error', requestClientIdHeader, ...signed, ...proof];
  const mac = b64(hmac(keys.k_error, lp(...elements)));
  return ['1', 'error', ...signed, mac].join('.');
}

const salted = (parts, salt) => [...parts, b64(repeated(salt, 16))].join('.');
/** @param number - a sequence number, or `<seq>r<old>`. @param salt - the octet that the salt repeats */
export const messageHeader = (sid, number, age, type, salt) =>
  salted(['1', sid, number, age, type], salt);
export const responseHeader = (salt) => salted(['1'], salt);
