import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { RelayLog } from '../telemetry/relay-log.js';
import { WorkerPlace } from './worker-place.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

const END_LIMIT_MS = 20_000;
const KILLED: WorkerEnd = { exitCode: undefined, signal: 'SIGKILL' };

/** The part of a worker process that its place uses. */
class Worker {
  isRetired = false;
  isKilled = false;
  livedMs = 0;
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
let lines: string[];
let place: WorkerPlace;

beforeEach(async () => {
  vi.useFakeTimers();
  workers = [];
  failures = 0;
  lines = [];
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
    new RelayLog('error', { write: (line) => lines.push(line) }),
  );
  const opened = place.open();
  workers[0]?.listen();
  await opened;
  place.keep();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Longer than a few retries take. */
const later = () => vi.advanceTimersByTimeAsync(5_000);

const unexpectedEnds = () => lines.filter((line) => line.includes('a worker ended unexpectedly'));

/** Renews the place up to the moment when the second worker listens and the first one has been told to end. */
const renewed = async (): Promise<void> => {
  void place.renew();
  workers[1]?.listen();
  await vi.waitFor(() => {
    expect(workers[0]?.isRetired).toBe(true);
  });
};

it('starts another worker if a successor ends while its predecessor still drains', async () => {
  await renewed();

  workers[1]?.end();
  await later();
  expect(workers).toHaveLength(3);
});

it('starts one worker, after the full delay, if the predecessor ends after its successor', async () => {
  await renewed();
  workers[0]!.livedMs = 3_600_000;

  workers[1]?.end();
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(499);
  expect(workers).toHaveLength(2);
  await later();
  expect(workers).toHaveLength(3);
});

it('starts another worker if the worker ends while its successor is starting, and the successor is given up', async () => {
  const renewal = place.renew();
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(renewal).resolves.toBe(false);

  await later();
  expect(workers).toHaveLength(3);
  expect(unexpectedEnds()).toEqual([expect.stringContaining('"worker":1,')]);
});

it('still starts another worker if a renewal in the meantime cannot create a process', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  failures = 1;
  await expect(place.renew()).rejects.toThrow('no memory');

  await later();
  expect(workers).toHaveLength(2);
});

it('does not start another worker if a renewal has done so in the meantime', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  void place.renew();

  await later();
  expect(workers).toHaveLength(2);
});

it('starts no worker once the place is closed', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  await place.close();

  await later();
  expect(workers).toHaveLength(1);
});

it('kills a predecessor that hangs', async () => {
  const renewal = place.renew();
  workers[1]?.listen();
  await vi.advanceTimersByTimeAsync(END_LIMIT_MS);
  await expect(renewal).resolves.toBe(true);
  expect(workers[0]?.isKilled).toBe(true);
  expect(unexpectedEnds()).toEqual([]);
});

it('keeps the current worker if the new one never listens', async () => {
  const renewal = place.renew();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(renewal).resolves.toBe(false);
  expect(workers.map(({ isKilled }) => isKilled)).toEqual([false, true]);
  expect(workers[0]?.isRetired).toBe(false);
});

it('retries if the system refuses to create a process', async () => {
  failures = 1;
  workers[0]?.end();
  await later();
  expect(workers).toHaveLength(2);
});

it('starts another worker if the replacement never listens', async () => {
  workers[0]?.end();
  await later();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(workers).toHaveLength(3);
  expect(lines).toContainEqual(expect.stringContaining('did not start listening was killed'));
});

it('is not renewed by a worker that starts to listen after the stop', async () => {
  const renewal = place.renew();
  void place.close();
  workers[1]?.listen();
  await expect(renewal).resolves.toBe(false);
});
