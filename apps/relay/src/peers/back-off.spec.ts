import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { HandMovedClock } from '../../../../test/support/hand-moved-clock.js';
import { TunnelFailedError } from './peers.errors.js';
import { BackOff } from './back-off.js';

const FIRST_MS = 500;
const MAX_MS = 30_000;
const failure = new TunnelFailedError('RELAY_PAIR_REFUSED', 'no', 'refused', {
  cause: new Error('why'),
});

let clock: HandMovedClock;
let backOff: BackOff;

beforeEach(() => {
  clock = new HandMovedClock();
  backOff = new BackOff({ firstMs: FIRST_MS, maxMs: MAX_MS }, clock);
});

afterEach(() => {
  vi.restoreAllMocks();
});

function isActive(): boolean {
  try {
    backOff.throwIfActive();
    return false;
  } catch {
    return true;
  }
}

/** Failures of callers that came back when they were let through. */
function failOneAfterAnother(failures: number): void {
  for (let count = 0; count < failures; count += 1) {
    backOff.begin(failure);
    clock.advance(MAX_MS);
  }
}

/** The next failure keeps callers away for so long, to the millisecond. */
function expectWaitAfterFailure(ms: number): void {
  backOff.begin(failure);
  clock.advance(ms - 1);
  expect(isActive()).toBe(true);
  clock.advance(1);
  expect(isActive()).toBe(false);
}

describe('a back-off', () => {
  it('lets callers through before the first failure', () => {
    expect(isActive()).toBe(false);
  });

  it.each([
    ['shortest', 0, 0.5],
    ['longest', 1 - Number.EPSILON, 1],
  ])('doubles with every failure up to its bound, at the %s', (_name, random, share) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    for (const ms of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
      expectWaitAfterFailure(ms * share);
    }
  });

  it('stays within its bound after any number of failures', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    failOneAfterAnother(2_000);
    expectWaitAfterFailure(MAX_MS * 0.75);
  });

  it('counts failures that were under way together once', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    backOff.begin(failure);
    backOff.begin(failure);
    backOff.begin(failure);
    clock.advance(FIRST_MS / 2);
    expect(isActive()).toBe(false);
    expectWaitAfterFailure(FIRST_MS);
  });

  it('begins anew after a success', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    backOff.begin(failure);
    backOff.begin(failure);
    backOff.end();
    expect(isActive()).toBe(false);
    expectWaitAfterFailure(FIRST_MS / 2);
  });

  it('fails callers with the failure that caused it, and when to come back', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    failOneAfterAnother(4);
    backOff.begin(failure);
    const thrown = (): unknown => {
      try {
        backOff.throwIfActive();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(thrown()).toBeInstanceOf(TunnelFailedError);
    expect(thrown()).toMatchObject({
      code: failure.code,
      forwarded: 'no',
      cause: failure.cause,
      retryAfter: 4,
    });
    clock.advance(3_999);
    expect(thrown()).toMatchObject({ retryAfter: 1 });
    clock.advance(1);
    expect(thrown()).toBeUndefined();
  });

  it('says "not forwarded" whatever became of the request that failed first', () => {
    backOff.begin(new TunnelFailedError('RELAY_PEER_TIMEOUT', 'maybe', 'silence'));
    expect(() => {
      backOff.throwIfActive();
    }).toThrow(expect.objectContaining({ code: 'RELAY_PEER_TIMEOUT', forwarded: 'no' }));
  });

  it('is not shortened by a wall clock that jumps', () => {
    backOff.begin(failure);
    clock.jump(24 * 60 * 60 * 1000);
    expect(isActive()).toBe(true);
  });
});
