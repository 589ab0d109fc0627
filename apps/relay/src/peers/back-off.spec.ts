import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
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

/** Lets this many failures happen, each after the back-off from the one before has ended. */
function failRepeatedly(failures: number): void {
  for (let count = 0; count < failures; count += 1) {
    backOff.begin(failure);
    clock.advance(MAX_MS);
  }
}

/** Expects the next failure to fail callers for this long, to the millisecond. */
function expectBackOff(ms: number): void {
  backOff.begin(failure);
  clock.advance(ms - 1);
  expect(isActive()).toBe(true);
  clock.advance(1);
  expect(isActive()).toBe(false);
}

describe('a back-off', () => {
  it('is not active before the first failure', () => {
    expect(isActive()).toBe(false);
  });

  it.each([
    ['smallest', 0, 0.5],
    ['largest', 1 - Number.EPSILON, 1],
  ])('doubles with every failure up to its bound, with the %s jitter', (_name, random, share) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    for (const ms of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
      expectBackOff(ms * share);
    }
  });

  it('stays within its bound after any number of failures', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    failRepeatedly(2_000);
    expectBackOff(MAX_MS * 0.75);
  });

  it('counts failures of concurrent attempts once', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    backOff.begin(failure);
    backOff.begin(failure);
    backOff.begin(failure);
    clock.advance(FIRST_MS / 2);
    expect(isActive()).toBe(false);
    expectBackOff(FIRST_MS);
  });

  it('is the shortest again after a success', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    backOff.begin(failure);
    backOff.begin(failure);
    backOff.end();
    expect(isActive()).toBe(false);
    expectBackOff(FIRST_MS / 2);
  });

  it('fails callers with the failure that caused it, and with the seconds until they may retry', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    failRepeatedly(4);
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

  it('fails callers as not forwarded, even if the first request may have been forwarded', () => {
    backOff.begin(new TunnelFailedError('RELAY_PEER_TIMEOUT', 'maybe', 'no response'));
    expect(() => {
      backOff.throwIfActive();
    }).toThrow(expect.objectContaining({ code: 'RELAY_PEER_TIMEOUT', forwarded: 'no' }));
  });

  it('is not shortened by a jump of the wall clock', () => {
    backOff.begin(failure);
    clock.jump(24 * 60 * 60 * 1000);
    expect(isActive()).toBe(true);
  });
});
