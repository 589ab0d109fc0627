import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

import { lengthPrefixed } from './length-prefixed.js';
import { SessionBlobInvalidError } from './protocol.errors.js';
import type { SecretKeys } from './secret-keys.js';
import type { SessionKeys } from './session-keys.js';

/**
 * Length of the epoch, the first field of a session blob: 40 bytes. The whole blob, of protocol.md section 5, is
 * epoch (40) || kid (4) || nonce (12) || AES-256-GCM(k_c2s (32) || k_s2c (32) || expiry (8) || lifetime (4) ||
 * audience hash (16)) || tag (16).
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
const EXPIRY_AT = 2 * KEY_BYTES;
const LIFETIME_AT = EXPIRY_AT + 8;
const AUDIENCE_AT = LIFETIME_AT + 4;
const AUDIENCE_BYTES = 16;
const PLAIN_BYTES = AUDIENCE_AT + AUDIENCE_BYTES;
const TAG_BYTES = 16;
/** Length of a session blob: 164 bytes. protocol.md section 5. */
export const BLOB_BYTES = BLOB_HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;

const CIPHER = 'aes-256-gcm';

/** A session as the inbound role stores it. protocol.md section 5. */
export interface StoredSession {
  /** The keys of both directions. */
  readonly keys: SessionKeys;
  /** Absolute, by the responder's clock: milliseconds since 1970, a non-negative safe integer. */
  readonly expiresAtMs: number;
  /** How long the session was to live when it was paired, in seconds: 300 … 86,400. */
  readonly lifetimeSeconds: number;
  /** `audienceHash` of the origin by which the sender knows its receiver: the session is for that audience alone. */
  readonly audienceHash: Buffer;
}

/** The form in which a session remembers its audience: the first 16 bytes of the audience's SHA-256. protocol.md section 5. */
export function audienceHash(audience: string): Buffer {
  return createHash('sha256').update(audience).digest().subarray(0, AUDIENCE_BYTES);
}

/**
 * Seals a session for the store. protocol.md section 5.
 *
 * @param secretKeys - the keys that the sender's kid names
 * @param sid - the session id
 * @param identity - `kid "." clientId` of the sender
 * @param epoch - names the history of the store: exactly 40 latin1 characters, which is not verified here
 * @returns a new buffer of 164 bytes, which the caller owns
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
  const terms = Buffer.allocUnsafe(AUDIENCE_AT - EXPIRY_AT);
  terms.writeBigUInt64BE(BigInt(session.expiresAtMs));
  terms.writeUInt32BE(session.lifetimeSeconds, LIFETIME_AT - EXPIRY_AT);
  const cipher = createCipheriv(
    CIPHER,
    secretKeys.store,
    head.subarray(BLOB_HEAD_BYTES - NONCE_BYTES),
  );
  cipher.setAAD(blobBinding(sid, identity, epoch));
  const sealed = Buffer.concat([
    cipher.update(session.keys.clientToServer),
    cipher.update(session.keys.serverToClient),
    cipher.update(terms),
    cipher.update(session.audienceHash),
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
    expiresAtMs: Number(plain.readBigUInt64BE(EXPIRY_AT)),
    lifetimeSeconds: plain.readUInt32BE(LIFETIME_AT),
    audienceHash: plain.subarray(AUDIENCE_AT),
  };
}

function blobBinding(sid: string, identity: string, epoch: string): Buffer {
  return lengthPrefixed('mte-relay/1 store', sid, identity, epoch);
}
