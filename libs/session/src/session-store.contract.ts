import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';

import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

import type { SessionStore } from './session-store.js';

/** A store as the contract drives it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Another way to the same entries, as a second replica has one. */
  readonly second: SessionStore;
  /** Takes all entries away behind the store's back. */
  readonly forgetAll: () => Promise<void>;
}

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

/** What every SessionStore does, protocol.md section 5. To be called at the top of a spec or in a suite. */
export function describeSessionStore(create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  let store: SessionStore;
  let second: SessionStore;
  let forgetAll: StoreUnderTest['forgetAll'];
  /** All that were told: in a cluster each part has its own. */
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

  /** Dead means: for ever of no use, on every door. */
  const expectDead = async (sid: string): Promise<void> => {
    expect(await second.reserve(sid)).toBeUndefined();
    await expectNotSaved(sid);
    expect(await second.open(sid)).toBeUndefined();
    expect(await store.reserve(sid)).toBeUndefined();
  };

  describe('RESERVE', () => {
    it('tells an epoch of 40 hexadecimal digits, the same for the same id on every door', async () => {
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

    it('leaves a live session as it is when it refuses', async () => {
      const { sid, blob, head } = await pair();
      await store.mark(sid, 1, head);
      await second.reserve(sid);
      expect(await store.open(sid)).toEqual(blob);
      expect(await store.mark(sid, 1, head)).toBe('replay');
    });

    it('gives an id to one of many who ask at once', async () => {
      const sid = newSid();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? store : second).reserve(sid)),
      );
      expect(answers.filter((epoch) => epoch !== undefined)).toHaveLength(1);
    });
  });

  describe('PUT', () => {
    it('saves a reserved session once', async () => {
      const { sid, blob } = await pair();
      expect(await second.put(sid, newBlob(blob.toString('latin1', 0, EPOCH_BYTES)))).toBe(false);
      expect(await store.open(sid)).toEqual(blob);
    });

    it('does not save what was not reserved, or was killed since', async () => {
      const sid = newSid();
      await expectNotSaved(sid);
      await reserve(sid);
      await second.kill(sid);
      await expectNotSaved(sid);
      await expectDead(sid);
    });

    it('does not save a blob of another epoch or another length, and leaves the id reserved', async () => {
      const sid = newSid();
      const epoch = await reserve(sid);
      const blob = newBlob(epoch);
      expect(await store.put(sid, newBlob('f'.repeat(EPOCH_BYTES)))).toBe(false);
      expect(await store.put(sid, blob.subarray(0, BLOB_BYTES - 1))).toBe(false);
      expect(await store.put(sid, Buffer.concat([blob, Buffer.alloc(1)]))).toBe(false);
      expect(await store.put(sid, Buffer.alloc(0))).toBe(false);
      expect(await store.put(sid, blob)).toBe(true);
    });

    it('keeps a copy', async () => {
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
    it('gives the blob byte for byte, whatever its bytes, as often as it is asked for', async () => {
      const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      for (const bytes of [allBytes.subarray(0, 104), allBytes.subarray(152)]) {
        const sid = newSid();
        const blob = Buffer.concat([Buffer.from(await reserve(sid), 'latin1'), bytes]);
        await store.put(sid, blob);
        expect(await store.open(sid)).toEqual(blob);
        expect(await second.open(sid)).toEqual(blob);
      }
    });

    it('gives the same however many numbers are marked', async () => {
      const { sid, blob, head } = await pair();
      for (const sequence of [1, 2, 7, 8, 300, LAST_SEQUENCE]) {
        await store.mark(sid, sequence, head);
        expect(await second.open(sid)).toEqual(blob);
      }
    });

    it('kills an unknown id before it reports it', async () => {
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
    it('tells the first use of a number from every other', async () => {
      const { sid, head } = await pair();
      for (const sequence of [1, 2, 9, 8, 7, 262_143, LAST_SEQUENCE - 1, LAST_SEQUENCE]) {
        expect(await store.mark(sid, sequence, head)).toBe('first');
        expect(await second.mark(sid, sequence, head)).toBe('replay');
        expect(await store.mark(sid, sequence, head)).toBe('replay');
      }
      expect(await second.mark(sid, 3, head)).toBe('first');
    });

    it('calls one of 200 racing copies the first', async () => {
      const { sid, head } = await pair();
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? store : second).mark(sid, 77, head)),
      );
      expect(outcomes.filter((outcome) => outcome === 'first')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'replay')).toHaveLength(199);
    });

    it.each([
      ['nonce', BLOB_HEAD_BYTES - 1],
      ['kid', EPOCH_BYTES],
      ['epoch', 0],
    ])('with another %s finds the session dead, and it stays dead', async (_, at) => {
      const { sid, head } = await pair();
      const otherHead = Buffer.from(head);
      otherHead.writeUInt8(head.readUInt8(at) ^ 1, at);
      expect(await store.mark(sid, 1, otherHead)).toBe('dead');
      expect(await store.mark(sid, 1, head)).toBe('dead');
      await expectDead(sid);
    });

    it('with a head that is cut short finds the session dead', async () => {
      const { sid, head } = await pair();
      expect(await store.mark(sid, 1, head.subarray(0, EPOCH_BYTES))).toBe('dead');
      await expectDead(sid);
    });

    it('finds what is unknown, reserved or killed dead, and keeps it so', async () => {
      const { head } = await pair();
      const [unknown, reserved, killed] = [newSid(), newSid(), newSid()];
      await reserve(reserved);
      await store.kill(killed);
      for (const sid of [unknown, reserved, killed]) {
        expect(await second.mark(sid, 1, head)).toBe('dead');
        await expectDead(sid);
      }
    });

    it.each([0, -1, 1.5, Number.NaN, LAST_SEQUENCE + 1, 2 ** 32 - 1])(
      'rejects %d, which is no sequence number, and leaves the session as it was',
      async (sequence) => {
        const { sid, blob, head } = await pair();
        await expect(store.mark(sid, sequence, head)).rejects.toBeInstanceOf(RangeError);
        expect(await store.open(sid)).toEqual(blob);
        expect(await store.mark(sid, 1, head)).toBe('first');
      },
    );
  });

  describe('KILL', () => {
    it('ends a live session for every door', async () => {
      const { sid, head } = await pair();
      await store.mark(sid, 1, head);
      await second.kill(sid);
      expect(await store.mark(sid, 2, head)).toBe('dead');
      await expectDead(sid);
    });

    it('may be repeated, and takes an id that was never used', async () => {
      const sid = newSid();
      await store.kill(sid);
      await second.kill(sid);
      await expectDead(sid);
    });
  });

  describe('an entry that was lost', () => {
    it('is not found by OPEN, and killed', async () => {
      const { sid } = await pair();
      await forgetAll();
      expect(await store.open(sid)).toBeUndefined();
      await expectDead(sid);
    });

    it('between OPEN and MARK makes the session dead', async () => {
      const { sid, blob, head } = await pair();
      expect(await store.open(sid)).toEqual(blob);
      await forgetAll();
      expect(await store.mark(sid, 1, head)).toBe('dead');
      await expectDead(sid);
    });

    it('and made again under the same id does not take marks of the old session', async () => {
      const old = await pair();
      await store.mark(old.sid, 1, old.head);
      await forgetAll();
      await pair(old.sid);
      expect(await store.mark(old.sid, 1, old.head)).toBe('dead');
      await expectDead(old.sid);
    });
  });
}
