import { describe, expect, it } from 'vitest';

import { BLOB_BYTES } from '@relay/protocol';

import { HandMovedClock } from '../../../test/support/time/hand-moved-clock.js';
import { MemorySessionStore } from './memory-session-store.js';
import { describeSessionStore } from './session-store.contract.js';
import { SessionStoreUnavailableError } from './session.errors.js';

const LIFETIME_MS = 300_000;
const EPOCH = '0'.repeat(40);
const BLOB = Buffer.alloc(BLOB_BYTES, EPOCH);
const HEAD = BLOB.subarray(0, 56);

describeSessionStore(() => {
  const clock = new HandMovedClock();
  const store = new MemorySessionStore(clock, LIFETIME_MS);
  return {
    store,
    second: store,
    forgetAll: () => {
      clock.advance(LIFETIME_MS);
      return Promise.resolve();
    },
  };
});

describe('an entry in memory', () => {
  it('is kept for one lifetime from RESERVE, which PUT, OPEN and MARK do not extend', async () => {
    const clock = new HandMovedClock();
    const store = new MemorySessionStore(clock, LIFETIME_MS);
    await store.reserve('a');
    clock.advance(LIFETIME_MS - 2);
    await store.put('a', BLOB);
    clock.advance(1);
    expect(await store.open('a')).toEqual(BLOB);
    expect(await store.mark('a', { sequence: 1 }, HEAD)).toBe('first');
    clock.advance(1);
    expect(await store.reserve('a')).toBe(EPOCH);
  });

  it('stays dead for one lifetime after it was last killed', async () => {
    const clock = new HandMovedClock();
    const store = new MemorySessionStore(clock, LIFETIME_MS);
    await store.kill('a');
    clock.advance(LIFETIME_MS - 1);
    expect(await store.open('a')).toBeUndefined();
    clock.advance(LIFETIME_MS - 1);
    expect(await store.reserve('a')).toBeUndefined();
    clock.advance(1);
    expect(await store.reserve('a')).toBe(EPOCH);
  });

  it('does not expire early when the wall clock jumps', async () => {
    const clock = new HandMovedClock();
    const store = new MemorySessionStore(clock, LIFETIME_MS);
    await store.reserve('a');
    clock.jump(10 * LIFETIME_MS);
    expect(await store.reserve('a')).toBeUndefined();
  });
});

describe('a full store in memory', () => {
  const fill = async () => {
    const clock = new HandMovedClock();
    const store = new MemorySessionStore(clock, LIFETIME_MS, 2);
    await store.reserve('live');
    await store.put('live', BLOB);
    await store.kill('dead');
    return { clock, store };
  };

  it('fails if it needs a new entry, and never reports an id that it cannot kill as absent', async () => {
    const { store } = await fill();
    const attempts = [
      () => store.reserve('new'),
      () => store.open('new'),
      () => store.mark('new', { sequence: 1 }, HEAD),
      () => store.kill('new'),
      () => store.check(),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toBeInstanceOf(SessionStoreUnavailableError);
    }
  });

  it('continues to serve the entries that it has', async () => {
    const { store } = await fill();
    expect(await store.mark('live', { sequence: 1 }, HEAD)).toBe('first');
    expect(await store.open('dead')).toBeUndefined();
    await store.kill('live');
    expect(await store.open('live')).toBeUndefined();
  });

  it('has room again when an entry expires', async () => {
    const { clock, store } = await fill();
    clock.advance(LIFETIME_MS);
    await store.check();
    expect(await store.reserve('new')).toBe(EPOCH);
  });
});

describe('the health of a store in memory', () => {
  it('is good from the start, with a warning that the store serves only one process', async () => {
    const store = new MemorySessionStore(new HandMovedClock(), LIFETIME_MS);
    await store.check();
    const reports: unknown[] = [];
    store.watch((report) => reports.push(report));
    const description = await store.describe();
    expect(reports).toEqual([{ state: 'available', description }]);
    expect(description).toMatchObject({ version: 'memory', persistence: 'off' });
    expect(description.warnings).toHaveLength(1);
  });
});
