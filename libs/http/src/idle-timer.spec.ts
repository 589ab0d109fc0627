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

  it('calls back once, after exactly its limit', () => {
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS - 1);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('restarts with every touch, on a single timer', () => {
    for (let count = 0; count < 5; count += 1) {
      timer.touch();
      vi.advanceTimersByTime(LIMIT_MS - 1);
    }
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('does not run while it is stopped, and runs for its whole limit when started again', () => {
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

  it('never calls back once it is disabled, even if it is touched', () => {
    timer.touch();
    timer.disable();
    timer.touch();
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('never calls back if its limit is 0', () => {
    const unlimited = new IdleTimer(0, onIdle);
    unlimited.touch();
    vi.advanceTimersByTime(10 * LIMIT_MS);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be started again after it has called back', () => {
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS);
    timer.touch();
    vi.advanceTimersByTime(LIMIT_MS);
    expect(onIdle).toHaveBeenCalledTimes(2);
  });
});
