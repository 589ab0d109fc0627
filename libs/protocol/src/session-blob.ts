import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { lengthPrefixed } from './length-prefixed.js';
import { SessionBlobInvalidError } from './protocol.errors.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

/**
 * Length of the epoch, the first field of a session blob: 40 bytes. The whole blob, of protocol.md section 5, is
 * epoch (40) || kid (4) || nonce (12) || AES-256-GCM(k_c2s (32) || k_s2c (32) || expiry (8)) || tag (16).
 */
export const EPOCH_BYTES = 40;
const KID_BYTES = 4;
const NONCE_BYTES = 12;
/**
 * Length of the blob's head, which is epoch, kid and nonce: 56 bytes. MARK compares it, so that a session that was
 * created again under the same id does not pass for the old one. protocol.md section 5.
 */
export const BLOB_HEAD_BYTES = EPOCH_BYTES + KID_BYTES + NONCE_BYTES;
const KEY_BYTES = 32;
const PLAIN_BYTES = 2 * KEY_BYTES + 8;
const TAG_BYTES = 16;
/** Length of a session blob: 144 bytes. protocol.md section 5. */
export const BLOB_BYTES = BLOB_HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;

const CIPHER = 'aes-256-gcm';

/** A session as the inbound role stores it. protocol.md section 5. */
export interface StoredSession {
  /** The keys of both directions. */
  readonly keys: SessionKeys;
  /** Absolute, by the responder's clock: milliseconds since 1970, a non-negative safe integer. */
  readonly expiresAtMs: number;
}

/**
 * Seals a session for the store. protocol.md section 5.
 *
 * @param secretKeys - the keys that the sender's kid names
 * @param sid - the session id
 * @param identity - `kid "." clientId` of the sender
 * @param epoch - names the history of the store: exactly 40 latin1 characters, which is not verified here
 * @returns a new buffer of 144 bytes, which the caller owns
 */
export function sealSessionBlob(
  session: StoredSession,
  secretKeys: SecretKeys,
  sid: string,
  identity: string,
  epoch: string,
): Buffer {
  const head = Buffer.concat([
    Buffer.from(epoch, 'latin1'),
    Buffer.from(secretKeys.kid, 'hex'),
    randomBytes(NONCE_BYTES),
  ]);
  const expiry = Buffer.allocUnsafe(8);
  expiry.writeBigUInt64BE(BigInt(session.expiresAtMs));
  const cipher = createCipheriv(
    CIPHER,
    secretKeys.store,
    head.subarray(BLOB_HEAD_BYTES - NONCE_BYTES),
  );
  cipher.setAAD(blobBinding(sid, identity, epoch));
  const sealed = Buffer.concat([
    cipher.update(session.keys.clientToServer),
    cipher.update(session.keys.serverToClient),
    cipher.update(expiry),
    cipher.final(),
  ]);
  return Buffer.concat([head, sealed, cipher.getAuthTag()], BLOB_BYTES);
}

/**
 * Opens a session blob. Expiry is left to the caller. protocol.md section 5.
 *
 * @param blob - only read; the result does not share its memory
 * @param secretKeys - the keys that the kid of the request names
 * @param sid - the session id in the request
 * @param identity - `kid "." clientId` of the sender of the request
 * @throws SessionBlobInvalidError if the blob was sealed for another session, sender or secret, or was modified
 */
export function openSessionBlob(
  blob: Buffer,
  secretKeys: SecretKeys,
  sid: string,
  identity: string,
): StoredSession {
  if (blob.length !== BLOB_BYTES) {
    throw new SessionBlobInvalidError(
      `session blob is ${blob.length} bytes long instead of ${BLOB_BYTES}`,
    );
  }
  if (blob.toString('hex', EPOCH_BYTES, EPOCH_BYTES + KID_BYTES) !== secretKeys.kid) {
    throw new SessionBlobInvalidError('session blob was sealed with another secret');
  }
  const epoch = blob.toString('latin1', 0, EPOCH_BYTES);
  const nonce = blob.subarray(BLOB_HEAD_BYTES - NONCE_BYTES, BLOB_HEAD_BYTES);
  const decipher = createDecipheriv(CIPHER, secretKeys.store, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(blobBinding(sid, identity, epoch));
  decipher.setAuthTag(blob.subarray(BLOB_BYTES - TAG_BYTES));
  const plain = decipher.update(blob.subarray(BLOB_HEAD_BYTES, BLOB_BYTES - TAG_BYTES));
  try {
    decipher.final();
  } catch (error) {
    throw new SessionBlobInvalidError('session blob failed authentication', { cause: error });
  }
  return {
    keys: {
      clientToServer: plain.subarray(0, KEY_BYTES),
      serverToClient: plain.subarray(KEY_BYTES, 2 * KEY_BYTES),
    },
    expiresAtMs: Number(plain.readBigUInt64BE(2 * KEY_BYTES)),
  };
}

function blobBinding(sid: string, identity: string, epoch: string): Buffer {
  return lengthPrefixed('mte-relay/1 store', sid, identity, epoch);
}
