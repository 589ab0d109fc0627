import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { lengthPrefixed } from './length-prefixed.js';
import { SessionBlobInvalidError } from './protocol.errors.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

/**
 * A session at rest, protocol.md section 5:
 * epoch (40) || kid (4) || nonce (12) || AES-256-GCM(client-to-server key (32) || server-to-client key (32) || expiry (8)) || tag (16).
 */
export const EPOCH_BYTES = 40;
const KID_BYTES = 4;
const NONCE_BYTES = 12;
/** Epoch, kid and nonce: what MARK compares, so that a session that was made again is another. */
export const BLOB_HEAD_BYTES = EPOCH_BYTES + KID_BYTES + NONCE_BYTES;
const KEY_BYTES = 32;
const PLAIN_BYTES = 2 * KEY_BYTES + 8;
const TAG_BYTES = 16;
export const BLOB_BYTES = BLOB_HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;

const CIPHER = 'aes-256-gcm';

/** A session as the inbound role keeps it. */
export interface StoredSession {
  readonly keys: SessionKeys;
  /** Absolute, by the responder's clock: milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/**
 * @param epoch - 40 characters that name the store's history
 * @param identity - `kid "." clientId` of the sender
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

/** @throws SessionBlobInvalidError where the blob was sealed for another session, sender, secret or epoch */
export function openSessionBlob(
  blob: Buffer,
  secretKeys: SecretKeys,
  sid: string,
  identity: string,
): StoredSession {
  if (blob.length !== BLOB_BYTES) {
    throw new SessionBlobInvalidError(`session blob of ${blob.length} bytes is not ${BLOB_BYTES}`);
  }
  if (blob.toString('hex', EPOCH_BYTES, EPOCH_BYTES + KID_BYTES) !== secretKeys.kid) {
    throw new SessionBlobInvalidError('session blob was sealed under another secret');
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
    throw new SessionBlobInvalidError('session blob does not authenticate', { cause: error });
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
