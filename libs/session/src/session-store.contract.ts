import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';

import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

import { describeReplacements, type StoreUnderTest } from './replacements.contract.js';
import type { SessionStore } from './session-store.js';

const LAST_SEQUENCE = 2 ** 20 - 1;

const newSid = (): string => randomBytes(16).toString('base64url');

const newBlob = (epoch: string): Buffer =>
  Buffer.concat([Buffer.from(epoch, 'latin1'), randomBytes(BLOB_BYTES - EPOCH_BYTES)]);

/** A live session in the store. */
interface Live {
  readonly sid: string;
  readonly blob: Buffer;
  readonly head: Buffer;
}

/** Defines the tests that every SessionStore passes, protocol.md section 5. Call it in a suite or in a spec. */
export function describeSessionStore(create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  let store: SessionStore;
  let second: SessionStore;
  let forgetAll: StoreUnderTest['forgetAll'];
  /** All epochs that the store has returned: in a cluster, every primary has its own. */
  const epochs = new Set<string>();

  beforeEach(async () => {
    ({ store, second, forgetAll } = await create());
  });

  const reserve = async (sid: string): Promise<string> => {
    const epoch = await store.reserve(sid);
    if (epoch === undefined) {
      throw new Error('the session id is taken');
    }
    epochs.add(epoch);
    return epoch;
  };

  const pair = async (sid = newSid()): Promise<Live> => {
    const blob = newBlob(await reserve(sid));
    if (!(await store.put(sid, blob))) {
      throw new Error('the session was not saved');
    }
    return { sid, blob, head: blob.subarray(0, BLOB_HEAD_BYTES) };
  };

  const expectNotSaved = async (sid: string): Promise<void> => {
    for (const epoch of epochs) {
      expect(await store.put(sid, newBlob(epoch))).toBe(false);
    }
  };

  /** A dead session can be neither reserved, saved nor opened again, through either store. */
  const expectDead = async (sid: string): Promise<void> => {
    expect(await second.reserve(sid)).toBeUndefined();
    await expectNotSaved(sid);
    expect(await second.open(sid)).toBeUndefined();
    expect(await store.reserve(sid)).toBeUndefined();
  };

  describe('RESERVE', () => {
    it('returns an epoch of 40 hexadecimal digits, the same for one id through every replica', async () => {
      const sid = newSid();
      const epoch = await store.reserve(sid);
      expect(epoch).toMatch(/^[0-9a-f]{40}$/);
      await forgetAll();
      expect(await second.reserve(sid)).toBe(epoch);
    });

    it('refuses an id that is reserved, live or dead', async () => {
      const reserved = newSid();
      await reserve(reserved);
      const { sid: live } = await pair();
      const dead = newSid();
      await store.kill(dead);
      for (const sid of [reserved, live, dead]) {
        expect(await second.reserve(sid)).toBeUndefined();
      }
    });

    it('leaves a live session unchanged when it refuses its id', async () => {
      const { sid, blob, head } = await pair();
      await store.mark(sid, { sequence: 1 }, head);
      await second.reserve(sid);
      expect(await store.open(sid)).toEqual(blob);
      expect(await store.mark(sid, { sequence: 1 }, head)).toBe('replay');
    });

    it('gives an id to exactly one of many concurrent callers', async () => {
      const sid = newSid();
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? store : second).reserve(sid)),
      );
      expect(outcomes.filter((epoch) => epoch !== undefined)).toHaveLength(1);
    });
  });

  describe('PUT', () => {
    it('saves a reserved session only once', async () => {
      const { sid, blob } = await pair();
      expect(await second.put(sid, newBlob(blob.toString('latin1', 0, EPOCH_BYTES)))).toBe(false);
      expect(await store.open(sid)).toEqual(blob);
    });

    it('does not save a session that was not reserved, or was killed after it was reserved', async () => {
      const sid = newSid();
      await expectNotSaved(sid);
      await reserve(sid);
      await second.kill(sid);
      await expectNotSaved(sid);
      await expectDead(sid);
    });

    it('does not save a blob of another epoch or length, and leaves the id reserved', async () => {
      const sid = newSid();
      const epoch = await reserve(sid);
      const blob = newBlob(epoch);
      expect(await store.put(sid, newBlob('f'.repeat(EPOCH_BYTES)))).toBe(false);
      expect(await store.put(sid, blob.subarray(0, BLOB_BYTES - 1))).toBe(false);
      expect(await store.put(sid, Buffer.concat([blob, Buffer.alloc(1)]))).toBe(false);
      expect(await store.put(sid, Buffer.alloc(0))).toBe(false);
      expect(await store.put(sid, blob)).toBe(true);
    });

    it('saves a copy of the blob', async () => {
      const sid = newSid();
      const blob = newBlob(await reserve(sid));
      const saved = Buffer.from(blob);
      await store.put(sid, blob);
      blob.fill(0);
      (await store.open(sid))?.fill(0);
      expect(await store.open(sid)).toEqual(saved);
    });
  });

  describe('OPEN', () => {
    it('returns the blob byte for byte on every call, whatever bytes it contains', async () => {
      const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      for (const bytes of [
        allBytes.subarray(0, BLOB_BYTES - EPOCH_BYTES),
        allBytes.subarray(256 - BLOB_BYTES + EPOCH_BYTES),
      ]) {
        const sid = newSid();
        const blob = Buffer.concat([Buffer.from(await reserve(sid), 'latin1'), bytes]);
        await store.put(sid, blob);
        expect(await store.open(sid)).toEqual(blob);
        expect(await second.open(sid)).toEqual(blob);
      }
    });

    it('returns the same blob however many sequence numbers are marked', async () => {
      const { sid, blob, head } = await pair();
      for (const sequence of [1, 2, 7, 8, 300, LAST_SEQUENCE]) {
        await store.mark(sid, { sequence }, head);
        expect(await second.open(sid)).toEqual(blob);
      }
    });

    it('kills an unknown id before it reports the id as absent', async () => {
      const sid = newSid();
      expect(await store.open(sid)).toBeUndefined();
      await expectDead(sid);
    });

    it('kills an id that is only reserved', async () => {
      const sid = newSid();
      const epoch = await reserve(sid);
      expect(await second.open(sid)).toBeUndefined();
      expect(await store.put(sid, newBlob(epoch))).toBe(false);
      await expectDead(sid);
    });
  });

  describe('MARK', () => {
    it('distinguishes the first use of a sequence number from every later one', async () => {
      const { sid, head } = await pair();
      for (const sequence of [1, 2, 9, 8, 7, 262_143, LAST_SEQUENCE - 1, LAST_SEQUENCE]) {
        expect(await store.mark(sid, { sequence }, head)).toBe('first');
        expect(await second.mark(sid, { sequence }, head)).toBe('replay');
        expect(await store.mark(sid, { sequence }, head)).toBe('replay');
      }
      expect(await second.mark(sid, { sequence: 3 }, head)).toBe('first');
    });

    it('reports exactly one of 200 concurrent uses as the first', async () => {
      const { sid, head } = await pair();
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, at) =>
          (at % 2 === 0 ? store : second).mark(sid, { sequence: 77 }, head),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'first')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'replay')).toHaveLength(199);
    });

    it.each([
      ['nonce', BLOB_HEAD_BYTES - 1],
      ['kid', EPOCH_BYTES],
      ['epoch', 0],
    ])('with another %s reports the session as dead and kills it', async (_, at) => {
      const { sid, head } = await pair();
      const otherHead = Buffer.from(head);
      otherHead.writeUInt8(head.readUInt8(at) ^ 1, at);
      expect(await store.mark(sid, { sequence: 1 }, otherHead)).toBe('dead');
      expect(await store.mark(sid, { sequence: 1 }, head)).toBe('dead');
      await expectDead(sid);
    });

    it('with a truncated blob head reports the session as dead and kills it', async () => {
      const { sid, head } = await pair();
      expect(await store.mark(sid, { sequence: 1 }, head.subarray(0, EPOCH_BYTES))).toBe('dead');
      await expectDead(sid);
    });

    it('reports an id that is unknown, reserved or killed as dead, and it stays dead', async () => {
      const { head } = await pair();
      const [unknown, reserved, killed] = [newSid(), newSid(), newSid()];
      await reserve(reserved);
      await store.kill(killed);
      for (const sid of [unknown, reserved, killed]) {
        expect(await second.mark(sid, { sequence: 1 }, head)).toBe('dead');
        await expectDead(sid);
      }
    });

    it.each([0, -1, 1.5, Number.NaN, LAST_SEQUENCE + 1, 2 ** 32 - 1])(
      'rejects %d, which is not a valid sequence number, and leaves the session unchanged',
      async (sequence) => {
        const { sid, blob, head } = await pair();
        await expect(store.mark(sid, { sequence }, head)).rejects.toBeInstanceOf(RangeError);
        await expect(
          store.mark(sid, { sequence: 1, replaces: sequence }, head),
        ).rejects.toBeInstanceOf(RangeError);
        await expect(store.mark(sid, { sequence, replaces: 1 }, head)).rejects.toBeInstanceOf(
          RangeError,
        );
        expect(await store.open(sid)).toEqual(blob);
        expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
      },
    );
  });

  describeReplacements(create);

  describe('KILL', () => {
    it('ends a live session for every replica', async () => {
      const { sid, head } = await pair();
      await store.mark(sid, { sequence: 1 }, head);
      await second.kill(sid);
      expect(await store.mark(sid, { sequence: 2 }, head)).toBe('dead');
      await expectDead(sid);
    });

    it('can be repeated, and accepts an id that was never used', async () => {
      const sid = newSid();
      await store.kill(sid);
      await second.kill(sid);
      await expectDead(sid);
    });
  });

  describe('an entry that the store lost', () => {
    it('is absent for OPEN, which kills it', async () => {
      const { sid } = await pair();
      await forgetAll();
      expect(await store.open(sid)).toBeUndefined();
      await expectDead(sid);
    });

    it('between OPEN and MARK makes MARK report the session as dead', async () => {
      const { sid, blob, head } = await pair();
      expect(await store.open(sid)).toEqual(blob);
      await forgetAll();
      expect(await store.mark(sid, { sequence: 1 }, head)).toBe('dead');
      await expectDead(sid);
    });

    it('and that was created again under the same id accepts no mark of the old session', async () => {
      const old = await pair();
      await store.mark(old.sid, { sequence: 1 }, old.head);
      await forgetAll();
      await pair(old.sid);
      expect(await store.mark(old.sid, { sequence: 1 }, old.head)).toBe('dead');
      await expectDead(old.sid);
    });
  });
}
