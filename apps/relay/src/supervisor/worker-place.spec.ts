import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { RelayLog } from '../telemetry/relay-log.js';
import { WorkerPlace } from './worker-place.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

const END_LIMIT_MS = 20_000;
const KILLED: WorkerEnd = { exitCode: undefined, signal: 'SIGKILL' };

/** As much of a process as its place sees. */
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

/** More than it takes to try again a few times. */
const later = () => vi.advanceTimersByTimeAsync(5_000);

const endsUnasked = () => lines.filter((line) => line.includes('a worker ended unexpectedly'));

/** The first worker has been told to end, and the second one listens. */
const renewed = async (): Promise<void> => {
  void place.renew();
  workers[1]?.listen();
  await vi.waitFor(() => {
    expect(workers[0]?.isRetired).toBe(true);
  });
};

it('is taken anew where a successor dies while its predecessor still drains', async () => {
  await renewed();

  workers[1]?.end();
  await later();
  expect(workers).toHaveLength(3);
});

it('is taken once, and no sooner, where the predecessor ends after its successor', async () => {
  await renewed();
  workers[0]!.livedMs = 3_600_000;

  workers[1]?.end();
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(499);
  expect(workers).toHaveLength(2);
  await later();
  expect(workers).toHaveLength(3);
});

it('is taken anew where its worker ends while a successor starts, which is then given up', async () => {
  const renewal = place.renew();
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(renewal).resolves.toBe(false);

  await later();
  expect(workers).toHaveLength(3);
  expect(endsUnasked()).toEqual([expect.stringContaining('"worker":1,')]);
});

it('is still taken anew where a renewal meanwhile finds no process to be had', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  failures = 1;
  await expect(place.renew()).rejects.toThrow('no memory');

  await later();
  expect(workers).toHaveLength(2);
});

it('is not taken anew where a renewal has done so meanwhile', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  void place.renew();

  await later();
  expect(workers).toHaveLength(2);
});

it('stays empty once it is closed', async () => {
  workers[0]?.end();
  await vi.advanceTimersByTimeAsync(0);
  await place.close();

  await later();
  expect(workers).toHaveLength(1);
});

it('is left by a predecessor that hangs', async () => {
  const renewal = place.renew();
  workers[1]?.listen();
  await vi.advanceTimersByTimeAsync(END_LIMIT_MS);
  await expect(renewal).resolves.toBe(true);
  expect(workers[0]?.isKilled).toBe(true);
  expect(endsUnasked()).toEqual([]);
});

it('keeps its worker where the new one never listens', async () => {
  const renewal = place.renew();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(renewal).resolves.toBe(false);
  expect(workers.map(({ isKilled }) => isKilled)).toEqual([false, true]);
  expect(workers[0]?.isRetired).toBe(false);
});

it('is tried again where the system refuses a process', async () => {
  failures = 1;
  workers[0]?.end();
  await later();
  expect(workers).toHaveLength(2);
});

it('is taken anew where the worker that took it never listens', async () => {
  workers[0]?.end();
  await later();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(workers).toHaveLength(3);
  expect(lines).toContainEqual(expect.stringContaining('did not come to listen was killed'));
});

it('is not renewed by a worker that comes to listen after the stop', async () => {
  const renewal = place.renew();
  void place.close();
  workers[1]?.listen();
  await expect(renewal).resolves.toBe(false);
});
