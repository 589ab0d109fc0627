import { createHmac } from 'node:crypto';

import { hkdfExpand } from './hkdf-expand.js';

/** The keys of a session, one for each direction. Both relays derive them when they pair. protocol.md section 4. */
export interface SessionKeys {
  /** Outbound to inbound, `k_c2s` of the specification: the root of all request keys. 32 bytes. */
  readonly clientToServer: Buffer;
  /** Inbound to outbound, `k_s2c` of the specification: the root of all response keys. 32 bytes. */
  readonly serverToClient: Buffer;
}

/**
 * Derives `K_req` of protocol.md section 6. It seals and opens the one request that carries this header; any change to
 * the header gives another key.
 *
 * @param requestHeader - the whole `x-mte-relay` value of the request
 * @returns a new buffer of 32 bytes, which the caller owns
 */
export function deriveRequestKey(keys: SessionKeys, requestHeader: string): Buffer {
  return hkdfExpand(keys.clientToServer, `mte-relay/1 request\0${requestHeader}`);
}

/**
 * Derives `K_res` of protocol.md section 6. It seals and opens the one response that carries `responseHeader`, to the
 * request that carried `requestHeader`.
 *
 * @param requestHeader - the whole `x-mte-relay` value of the request
 * @param responseHeader - the whole `x-mte-relay` value of the response
 * @returns a new buffer of 32 bytes, which the caller owns
 */
export function deriveResponseKey(
  keys: SessionKeys,
  requestHeader: string,
  responseHeader: string,
): Buffer {
  return hkdfExpand(
    keys.serverToClient,
    `mte-relay/1 response\0${requestHeader}\0${responseHeader}`,
  );
}

/**
 * Derives the key that follows another one in a channel, whose records would otherwise be used up. The earlier key cannot be
 * derived from it. protocol.md section 11.2.
 *
 * @returns a new buffer of 32 bytes, which the caller owns
 */
export function deriveNextKey(key: Buffer): Buffer {
  return hkdfExpand(key, 'mte-relay/1 next key');
}

/**
 * Derives what an error with `p=0` about a message is signed over, besides the message itself: only relays that agreed on these
 * keys can make it. A pairing that is replayed after a loss of the store creates a session with the same id and other keys, which
 * knows nothing of the messages before. protocol.md section 2.
 *
 * @returns a new buffer of 32 bytes
 */
export function deriveProof({ serverToClient }: SessionKeys): Buffer {
  return createHmac('sha256', serverToClient).update('mte-relay/1 proof').digest();
}
