import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { RelayLog } from '../observability/relay-log.js';
import { WorkerPlace } from './worker-place.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

const END_LIMIT_MS = 20_000;
const KILLED: WorkerEnd = { exitCode: undefined, signal: 'SIGKILL' };

/** As much of a process as its place sees. */
class Worker {
  isRetired = false;
  isKilled = false;
  readonly livedMs = 0;
  listen: () => void = () => undefined;
  end: () => void = () => undefined;
  readonly ended = new Promise<WorkerEnd>((resolve) => {
    this.end = () => {
      resolve(KILLED);
    };
  });
  readonly listening = new Promise<boolean>((resolve) => {
    this.listen = () => {
      resolve(true);
    };
    void this.ended.then(() => {
      resolve(false);
    });
  });

  constructor(readonly pid: number) {}

  retire(): void {
    this.isRetired = true;
  }

  kill(): void {
    this.isRetired = true;
    this.isKilled = true;
    this.end();
  }
}

let workers: Worker[];
let failures: number;
let place: WorkerPlace;

beforeEach(async () => {
  vi.useFakeTimers();
  workers = [];
  failures = 0;
  place = new WorkerPlace(
    () => {
      if (failures > 0) {
        failures -= 1;
        throw new Error('no memory');
      }
      const worker = new Worker(workers.length + 1);
      workers.push(worker);
      return worker as unknown as WorkerProcess;
    },
    END_LIMIT_MS,
    new RelayLog('silent'),
  );
  const opened = place.open();
  workers[0]?.listen();
  await opened;
  place.keep();
});

afterEach(() => {
  vi.useRealTimers();
});

it('is taken anew where a successor dies while its predecessor still drains', async () => {
  void place.renew();
  workers[1]?.listen();
  await vi.waitFor(() => {
    expect(workers[0]?.isRetired).toBe(true);
  });

  workers[1]?.end();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(workers).toHaveLength(3);
});

it('is left by a predecessor that hangs', async () => {
  const renewed = place.renew();
  workers[1]?.listen();
  await vi.advanceTimersByTimeAsync(END_LIMIT_MS);
  await expect(renewed).resolves.toBe(true);
  expect(workers[0]?.isKilled).toBe(true);
});

it('keeps its worker where the new one never listens', async () => {
  const renewed = place.renew();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(renewed).resolves.toBe(false);
  expect(workers.map(({ isKilled }) => isKilled)).toEqual([false, true]);
  expect(workers[0]?.isRetired).toBe(false);
});

it('is tried again where the system refuses a process', async () => {
  failures = 1;
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(workers).toHaveLength(2);
});

it('is not renewed by a worker that comes to listen after the stop', async () => {
  const renewed = place.renew();
  void place.close();
  workers[1]?.listen();
  await expect(renewed).resolves.toBe(false);
});
