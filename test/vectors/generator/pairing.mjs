/** A pairing with fixed inputs: docs/protocol.md, section 4. */
import { Buffer } from 'node:buffer';

import { ml_kem768_x25519 as xWing } from '@noble/post-quantum/hybrid.js';

import { b64, bytes, expand, hmac, lp, octets, sha256, uint } from './notation.mjs';
import { signedPairing } from './signatures.mjs';

// HPKE mode_psk, export-only: RFC 9180, sections 4 and 5.
function hpkeExport(sharedSecret, info, psk, pskId, label) {
  const suite = ['HPKE-v1', 'HPKE', octets('647a0001ffff')];
  const labeledExtract = (salt, name, input) => hmac(salt, ...suite, name, input);
  const labeledExpand = (key, name, context) => expand(key, uint(32, 2), ...suite, name, context);
  const context = Buffer.concat([
    Buffer.of(1),
    labeledExtract('', 'psk_id_hash', pskId),
    labeledExtract('', 'info_hash', info),
  ]);
  const secret = labeledExtract(sharedSecret, 'secret', psk);
  return labeledExpand(labeledExpand(secret, 'exp', context), 'sec', label);
}

export function pairRequestBody({ unixMs, audience, seed }) {
  return Buffer.concat([
    Buffer.of(1, 1),
    uint(unixMs, 8),
    uint(audience.length, 1),
    bytes(audience),
    xWing.keygen(seed).publicKey,
  ]);
}

/** Both bodies, the signed header and the keys of the session that they agree on. */
export function pairing({ keys, clientId, eseed, lifetime, maxMessages, ...request }) {
  const body = pairRequestBody(request);
  const header = signedPairing(keys, clientId, body);
  const th = sha256(lp('mte-relay/1 pair', header, body));
  const { publicKey } = xWing.keygen(request.seed);
  const { cipherText, sharedSecret } = xWing.encapsulate(publicKey, eseed);
  const derive = (label) =>
    hpkeExport(sharedSecret, th, keys.psk, `${keys.kid}.${clientId}`, label);
  const confirmed = Buffer.concat([
    Buffer.of(1, 1),
    uint(lifetime, 4),
    uint(maxMessages, 4),
    cipherText,
  ]);
  const kConfirm = derive('confirm');
  const confirm = hmac(kConfirm, lp('mte-relay/1 confirm', th, confirmed));
  return {
    request_body: body,
    client_id_header: header,
    response_body: Buffer.concat([confirmed, confirm]),
    sid: b64(th.subarray(0, 16)),
    k_c2s: derive('c2s'),
    k_s2c: derive('s2c'),
    k_confirm: kConfirm,
  };
}
