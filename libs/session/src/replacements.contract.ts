import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';

import { BLOB_BYTES, BLOB_HEAD_BYTES, EPOCH_BYTES } from '@relay/protocol';

import type { SessionStore } from './session-store.js';

/** A store to test against the contract. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Another store with the same entries, as a second replica would have. */
  readonly second: SessionStore;
  /** Deletes all entries without the store's knowledge. */
  readonly forgetAll: () => Promise<void>;
}

const LAST_SEQUENCE = 2 ** 20 - 1;

/** The part of the contract about messages that replace another, protocol.md section 5: at most one of the two is ever forwarded. */
export function describeReplacements(create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe('MARK of a message that replaces another', () => {
    let store: SessionStore;
    let second: SessionStore;
    let forgetAll: StoreUnderTest['forgetAll'];

    beforeEach(async () => {
      ({ store, second, forgetAll } = await create());
    });

    /** A live session in the store. */
    const pair = async (sid = randomBytes(16).toString('base64url')) => {
      const epoch = (await store.reserve(sid)) ?? '';
      const sealed = randomBytes(BLOB_BYTES - EPOCH_BYTES);
      const blob = Buffer.concat([Buffer.from(epoch, 'latin1'), sealed]);
      if (!(await store.put(sid, blob))) {
        throw new Error('the session was not saved');
      }
      return { sid, blob, head: blob.subarray(0, BLOB_HEAD_BYTES) };
    };

    const expectDead = async (sid: string): Promise<void> => {
      expect(await second.open(sid)).toBeUndefined();
      expect(await store.reserve(sid)).toBeUndefined();
    };

    it('is the first if the original has not arrived, and the original is a replay from then on', async () => {
      for (const [sequence, replaces] of [
        [2, 1],
        [9, 3],
        [LAST_SEQUENCE, LAST_SEQUENCE - 1],
      ] as const) {
        const { sid, head } = await pair();
        expect(await store.mark(sid, { sequence, replaces }, head)).toBe('first');
        expect(await second.mark(sid, { sequence: replaces }, head)).toBe('replay');
        expect(await store.mark(sid, { sequence: replaces }, head)).toBe('replay');
      }
    });

    it('reports an original that has arrived, and consumes its own number all the same', async () => {
      const { sid, head } = await pair();
      expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
      expect(await second.mark(sid, { sequence: 2, replaces: 1 }, head)).toBe('original-marked');
      expect(await store.mark(sid, { sequence: 2 }, head)).toBe('replay');
    });

    it('is a replay if it is repeated, whether or not its original has arrived', async () => {
      const { sid, head } = await pair();
      await store.mark(sid, { sequence: 2, replaces: 1 }, head);
      expect(await second.mark(sid, { sequence: 2, replaces: 1 }, head)).toBe('replay');
      await store.mark(sid, { sequence: 3 }, head);
      await store.mark(sid, { sequence: 4, replaces: 3 }, head);
      expect(await second.mark(sid, { sequence: 4, replaces: 3 }, head)).toBe('replay');
    });

    it('that is itself a replay consumes its original nevertheless', async () => {
      const { sid, head } = await pair();
      await store.mark(sid, { sequence: 2 }, head);
      expect(await store.mark(sid, { sequence: 2, replaces: 1 }, head)).toBe('replay');
      expect(await second.mark(sid, { sequence: 1 }, head)).toBe('replay');
    });

    it('consumes no other number and leaves the blob unchanged', async () => {
      const { sid, blob, head } = await pair();
      await store.mark(sid, { sequence: 12, replaces: 5 }, head);
      for (const sequence of [1, 4, 6, 11, 13]) {
        expect(await second.mark(sid, { sequence }, head)).toBe('first');
      }
      expect(await store.open(sid)).toEqual(blob);
    });

    it('lets exactly one of the original and the replacement through when they race', async () => {
      const { sid, head } = await pair();
      const races = Array.from({ length: 100 }, async (_, at) => {
        const [replaces, sequence] = [2 * at + 1, 2 * at + 2];
        const marks = [
          () => store.mark(sid, { sequence: replaces }, head),
          () => second.mark(sid, { sequence, replaces }, head),
        ];
        const ordered = at % 2 === 0 ? marks : marks.reverse();
        return Promise.all(ordered.map((mark) => mark()));
      });
      for (const outcomes of await Promise.all(races)) {
        expect(outcomes.filter((outcome) => outcome === 'first')).toHaveLength(1);
      }
    });

    it('reports a session that was killed or created again as dead, and marks nothing in it', async () => {
      const killed = await pair();
      await second.kill(killed.sid);
      expect(await store.mark(killed.sid, { sequence: 2, replaces: 1 }, killed.head)).toBe('dead');
      await expectDead(killed.sid);

      const old = await pair();
      await forgetAll();
      await pair(old.sid);
      expect(await store.mark(old.sid, { sequence: 2, replaces: 1 }, old.head)).toBe('dead');
      await expectDead(old.sid);
    });
  });
}
