import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { JoinedEnds } from './joined-ends.js';
import type { OctetEnd, OctetEvents } from './octet-end.js';

const LIMIT_MS = 1_000;

/** An end that the test moves by hand. */
class HandMovedEnd implements OctetEnd {
  events!: OctetEvents;
  isReady = true;
  readonly log: string[] = [];
  private onEnded: (() => void) | undefined;

  listen(events: OctetEvents): void {
    this.events = events;
  }

  write(octets: Buffer): boolean {
    this.log.push(octets.toString());
    return this.isReady;
  }

  end(onEnded: () => void): void {
    this.log.push('end');
    this.onEnded = onEnded;
  }

  resume(): void {
    this.log.push('resume');
  }

  reset(): void {
    this.log.push('reset');
  }

  /** What was written, and the end, has left the process. */
  flush(): void {
    this.onEnded?.();
  }
}

let near: HandMovedEnd;
let far: HandMovedEnd;
let ends: JoinedEnds;

beforeEach(() => {
  vi.useFakeTimers();
  near = new HandMovedEnd();
  far = new HandMovedEnd();
  ends = new JoinedEnds(near, far, LIMIT_MS);
  ends.run();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('joined ends', () => {
  it('pass octets on in both directions, and count them', () => {
    expect(near.events.onData(Buffer.from('to far'))).toBe(true);
    expect(far.events.onData(Buffer.from('back'))).toBe(true);
    expect([near.log, far.log]).toEqual([['back'], ['to far']]);
    expect(ends.bytes).toEqual({ forth: 6, back: 4 });
  });

  it('let a sender wait for its receiver', () => {
    far.isReady = false;
    expect(near.events.onData(Buffer.from('a'))).toBe(false);
    far.events.onDrain();
    expect(near.log).toEqual(['resume']);
  });

  it('end one direction, and go on with the other', async () => {
    near.events.onEnd();
    far.flush();
    far.events.onData(Buffer.from('later'));
    far.events.onEnd();
    near.flush();
    expect([near.log, far.log]).toEqual([['later', 'end'], ['end']]);
    expect(await ends.over).toEqual({});
  });

  it('are both reset if one of them is lost', async () => {
    const cause = new Error('gone');
    far.events.onLost(cause);
    expect([near.log, far.log]).toEqual([['reset'], ['reset']]);
    expect(await ends.over).toEqual({ cause, lost: 'far' });
    expect(near.events.onData(Buffer.from('x'))).toBe(true);
    expect(far.log).toEqual(['reset']);
  });

  it('are not lost once both directions have ended', async () => {
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.events.onEnd();
      other.flush();
    }
    near.events.onLost(new Error('closed'));
    expect(await ends.over).toEqual({});
    expect(near.log).not.toContain('reset');
  });
});

describe('a receiver that takes nothing', () => {
  it('is lost after the limit, with the other end', async () => {
    far.isReady = false;
    near.events.onData(Buffer.from('a'));
    vi.advanceTimersByTime(LIMIT_MS - 1);
    expect(far.log).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect([near.log, far.log]).toEqual([['reset'], ['a', 'reset']]);
    expect((await ends.over).lost).toBe('far');
  });

  it('is lost as well if only the end is left to take', async () => {
    far.events.onEnd();
    vi.advanceTimersByTime(LIMIT_MS);
    expect((await ends.over).lost).toBe('near');
  });

  it('has the whole limit again whenever it has taken something', () => {
    far.isReady = false;
    for (let count = 0; count < 5; count += 1) {
      near.events.onData(Buffer.from('a'));
      vi.advanceTimersByTime(LIMIT_MS - 1);
      far.events.onDrain();
    }
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(far.log).not.toContain('reset');
  });
});

it('a connection of which nothing is heard is not limited', () => {
  vi.advanceTimersByTime(24 * 3_600_000);
  expect([near.log, far.log]).toEqual([[], []]);
});
