import { availableParallelism } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { configProblems, relayConfig } from '../../../../test/support/relays/config.js';

vi.mock('node:os', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  availableParallelism: vi.fn(),
}));

const REDIS_URL = 'redis://h';
const RANGE = 'WORKERS must be an integer from 1 to 64, or auto';
const NOT_IN_MEMORY =
  'WORKERS must come to 1 if REDIS_URL is memory://: workers share their sessions in Redis';

beforeEach(() => {
  vi.mocked(availableParallelism).mockReturnValue(4);
});

describe('WORKERS', () => {
  it('is 1 by default', () => {
    expect(relayConfig({ REDIS_URL }).workers).toBe(1);
    expect(relayConfig({ REDIS_URL, WORKERS: '' }).workers).toBe(1);
  });

  it.each([1, 2, 10, 64])('accepts %i', (workers) => {
    expect(relayConfig({ REDIS_URL, WORKERS: String(workers) }).workers).toBe(workers);
  });

  it.each(['0', '65', '100', '-1', '2.0', '02', '2 ', 'two', 'Auto', 'AUTO'])(
    'refuses %j',
    (WORKERS) => {
      expect(configProblems({ REDIS_URL, WORKERS })).toEqual([RANGE]);
      expect(configProblems({ WORKERS })).toEqual([RANGE]);
    },
  );

  it.each([
    [1, 1],
    [8, 8],
    [128, 64],
  ])('set to auto with %i available cores is %i', (cores, workers) => {
    vi.mocked(availableParallelism).mockReturnValue(cores);
    expect(relayConfig({ REDIS_URL, WORKERS: 'auto' }).workers).toBe(workers);
  });
});

describe('sessions in memory', () => {
  it.each(['2', '64', 'auto'])('are refused with WORKERS=%s', (WORKERS) => {
    expect(configProblems({ REDIS_URL: 'memory://', WORKERS })).toEqual([NOT_IN_MEMORY]);
  });

  it('are accepted with WORKERS=1, and with auto on one core', () => {
    vi.mocked(availableParallelism).mockReturnValue(1);
    expect(relayConfig({ REDIS_URL: 'memory://', WORKERS: '1' }).workers).toBe(1);
    expect(relayConfig({ REDIS_URL: 'memory://', WORKERS: 'auto' }).workers).toBe(1);
  });
});
