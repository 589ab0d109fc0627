import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { IdleTimer } from './idle-timer.js';

const LIMIT_MS = 1_000;

const onIdle = vi.fn<() => void>();
let timer: IdleTimer;

beforeEach(() => {
  vi.useFakeTimers();
  onIdle.mockClear();
  timer = new IdleTimer(LIMIT_MS, onIdle);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('an idle timer', () => {
  it('does not run before it is touched', () => {
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls once, after exactly its limit', () => {
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS - 1);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('starts anew with every touch, on one timer', () => {
    for (let count = 0; count < 5; count += 1) {
      timer.touch();
      vi.advanceTimersByTime(LIMIT_MS - 1);
    }
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('rests while it is stopped, and may be started again with its whole limit', () => {
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS - 1);
    timer.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10 * LIMIT_MS);
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS - 1);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('that was disabled never calls, whatever touches it', () => {
    timer.touch();
    timer.disable();
    timer.touch();
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with a limit of 0 never calls', () => {
    const unlimited = new IdleTimer(0, onIdle);
    unlimited.touch();
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may be touched again once it has called', () => {
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS);
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS);
    expect(onIdle).toHaveBeenCalledTimes(2);
  });
});
