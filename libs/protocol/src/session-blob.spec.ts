import { createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { flipBit } from '../../../test/support/attackers/corruption.js';
import { SessionBlobInvalidError } from './protocol.errors.js';
import type { SecretKeys } from './secret-keys.js';
import {
  BLOB_BYTES,
  BLOB_HEAD_BYTES,
  EPOCH_BYTES,
  audienceHash,
  openSessionBlob,
  sealSessionBlob,
  type StoredSession,
} from './session-blob.js';

const secretKeys: SecretKeys = {
  kid: 'a53216a2',
  sender: randomBytes(32),
  error: randomBytes(32),
  store: randomBytes(32),
  psk: randomBytes(32),
};
const sid = randomBytes(16).toString('base64url');
const identity = 'a53216a2.relay-a';
const epoch = randomBytes(20).toString('hex');
const session: StoredSession = {
  keys: { clientToServer: randomBytes(32), serverToClient: randomBytes(32) },
  expiresAtMs: 1_767_229_200_123,
  lifetimeSeconds: 3600,
  audienceHash: audienceHash('https://relay-b.example'),
};
const blob = sealSessionBlob(session, secretKeys, sid, identity, epoch);

const open = (changed: Buffer): StoredSession =>
  openSessionBlob(changed, secretKeys, sid, identity);

describe('a session blob', () => {
  it('opens to the session that was sealed', () => {
    expect(openSessionBlob(blob, secretKeys, sid, identity)).toEqual(session);
  });

  it('has the layout of protocol.md section 5', () => {
    expect([EPOCH_BYTES, BLOB_HEAD_BYTES, BLOB_BYTES]).toEqual([40, 56, 164]);
    expect(blob).toHaveLength(164);
    expect(blob.toString('latin1', 0, 40)).toBe(epoch);
    expect(blob.toString('hex', 40, 44)).toBe(secretKeys.kid);
  });

  it('seals keys, expiry, lifetime and audience in the order of protocol.md section 5', () => {
    // AES-256-GCM is CTR mode with a tag; its first block of key stream has the counter 2.
    const counter = Buffer.concat([blob.subarray(44, 56), Buffer.of(0, 0, 0, 2)]);
    const plain = createDecipheriv('aes-256-ctr', secretKeys.store, counter).update(
      blob.subarray(56, 148),
    );
    expect(plain.subarray(0, 32)).toEqual(session.keys.clientToServer);
    expect(plain.subarray(32, 64)).toEqual(session.keys.serverToClient);
    expect(plain.readBigUInt64BE(64)).toBe(1_767_229_200_123n);
    expect(plain.readUInt32BE(72)).toBe(3600);
    expect(plain.subarray(76)).toEqual(session.audienceHash);
  });

  it('names its audience by the first 16 bytes of the SHA-256', () => {
    const whole = createHash('sha256').update('https://relay-b.example').digest();
    expect(audienceHash('https://relay-b.example')).toEqual(whole.subarray(0, 16));
  });

  it('may live for any lifetime that can be configured', () => {
    for (const lifetimeSeconds of [300, 3600, 86_400]) {
      const sealed = sealSessionBlob(
        { ...session, lifetimeSeconds },
        secretKeys,
        sid,
        identity,
        epoch,
      );
      expect(open(sealed).lifetimeSeconds).toBe(lifetimeSeconds);
    }
  });

  it('opens to buffers that do not share its memory', () => {
    const copy = Buffer.from(blob);
    const opened = open(copy);
    copy.fill(0);
    expect(opened).toEqual(session);
  });

  it('has a new nonce each time, so that the same session sealed again is a different blob', () => {
    const again = sealSessionBlob(session, secretKeys, sid, identity, epoch);
    expect(again.subarray(44, 56)).not.toEqual(blob.subarray(44, 56));
    expect(again.subarray(56)).not.toEqual(blob.subarray(56));
  });

  it('does not reveal its keys or its sender', () => {
    for (const key of [session.keys.clientToServer, session.keys.serverToClient]) {
      expect(blob.includes(key.subarray(0, 4))).toBe(false);
    }
    expect(blob.includes('relay-a')).toBe(false);
    expect(blob.includes(session.audienceHash.subarray(0, 4))).toBe(false);
  });

  it('may expire at any time up to the largest safe integer', () => {
    for (const expiresAtMs of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const sealed = sealSessionBlob({ ...session, expiresAtMs }, secretKeys, sid, identity, epoch);
      expect(open(sealed).expiresAtMs).toBe(expiresAtMs);
    }
  });

  it('does not open under another session id', () => {
    const other = randomBytes(16).toString('base64url');
    expect(() => openSessionBlob(blob, secretKeys, other, identity)).toThrow(
      SessionBlobInvalidError,
    );
  });

  it.each(['a53216a2.relay-b', 'a53216a2.relay', 'a53216a3.relay-a', '', 'relay-a'])(
    'does not open for the sender "%s"',
    (other) => {
      expect(() => openSessionBlob(blob, secretKeys, sid, other)).toThrow(SessionBlobInvalidError);
    },
  );

  it('does not open if a byte moves from the sender to the session id', () => {
    expect(() => openSessionBlob(blob, secretKeys, `${sid}a`, identity.slice(1))).toThrow(
      SessionBlobInvalidError,
    );
  });

  it('does not open under another secret', () => {
    const other = { ...secretKeys, store: randomBytes(32) };
    expect(() => openSessionBlob(blob, other, sid, identity)).toThrow(SessionBlobInvalidError);
  });

  it('does not open in another epoch', () => {
    const moved = Buffer.concat([Buffer.from('0'.repeat(40)), blob.subarray(40)]);
    expect(() => open(moved)).toThrow(SessionBlobInvalidError);
  });

  it.each([
    ['epoch', 0, 40],
    ['kid', 40, 44],
    ['nonce', 44, 56],
    ['sealed keys', 56, 120],
    ['sealed expiry', 120, 128],
    ['sealed lifetime', 128, 132],
    ['sealed audience', 132, 148],
    ['tag', 148, 164],
  ])('does not open with any single bit of its %s flipped', (_name, from, to) => {
    for (let bit = from * 8; bit < to * 8; bit += 1) {
      expect(() => open(flipBit(blob, bit))).toThrow(SessionBlobInvalidError);
    }
  });

  it('does not open with any other length', () => {
    for (let bytes = 0; bytes < 164; bytes += 1) {
      expect(() => open(blob.subarray(0, bytes))).toThrow(SessionBlobInvalidError);
    }
    for (const more of [1, 16, 32_768]) {
      expect(() => open(Buffer.concat([blob, Buffer.alloc(more)]))).toThrow(
        SessionBlobInvalidError,
      );
    }
  });

  it('does not open with the head of another blob of the same session', () => {
    const again = sealSessionBlob(session, secretKeys, sid, identity, epoch);
    const mixed = Buffer.concat([again.subarray(0, 56), blob.subarray(56)]);
    expect(() => open(mixed)).toThrow(SessionBlobInvalidError);
  });

  it('does not reveal its sender in the error', () => {
    expect.assertions(2);
    try {
      open(flipBit(blob, 163 * 8));
    } catch (error) {
      expect(error).toMatchObject({ code: 'RELAY_SESSION_BLOB_INVALID' });
      expect(String(error)).not.toContain(identity);
    }
  });
});
