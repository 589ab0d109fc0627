import type { RelayConfig } from '@relay/config';

import type { RelayLog } from '../telemetry/relay-log.js';
import { WorkerPlace } from './worker-place.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

/** What a worker may take beyond its own time limits before it is killed. */
const STOP_GRACE_MS = 5_000;
/** For workers that were told to end at once. */
const END_AT_ONCE_MS = 1_000;

/** Keeps a number of workers running; it does no work of theirs. */
export class Supervisor {
  private readonly places: readonly WorkerPlace[];
  private readonly endLimitMs: number;
  private isStopping = false;
  private isRenewalWanted = false;
  private work: Promise<void> = Promise.resolve();

  constructor(
    config: Pick<RelayConfig, 'workers' | 'shutdownDelayMs' | 'shutdownTimeoutMs'>,
    private readonly log: RelayLog,
    spawn: () => WorkerProcess,
  ) {
    const { workers, shutdownDelayMs, shutdownTimeoutMs } = config;
    this.endLimitMs = shutdownDelayMs + shutdownTimeoutMs + STOP_GRACE_MS;
    this.places = Array.from(
      { length: workers },
      () => new WorkerPlace(spawn, this.endLimitMs, log),
    );
  }

  /**
   * Starts the workers, one before all others: what is wrong with their configuration or their address shows in it, and
   * is said once.
   *
   * @returns once they listen, or were told to end; how the first ended, where it did so unasked before it listened
   */
  start(): Promise<WorkerEnd | undefined> {
    const started = this.open();
    this.work = started.then(() => undefined);
    return started;
  }

  /** Replaces the workers one after another; once more where that is wanted while it is being done. */
  renew(): void {
    if (this.isRenewalWanted) {
      return;
    }
    this.isRenewalWanted = true;
    this.work = this.work.then(async () => {
      this.isRenewalWanted = false;
      await this.renewEach().catch((error: unknown) => {
        this.log.error('a new worker could not be started', { error });
      });
    });
  }

  /** Tells the workers to end. @returns whether all did so within their time limits */
  async stop(): Promise<boolean> {
    this.isStopping = true;
    let isInTime = true;
    const limit = setTimeout(() => {
      isInTime = false;
      this.log.error('workers that did not stop were killed', { workers: this.pids });
      this.kill();
    }, this.endLimitMs);
    await Promise.all(this.places.map((place) => place.close()));
    clearTimeout(limit);
    return isInTime;
  }

  /** Tells them a second time. */
  endAtOnce(): void {
    for (const place of this.places) {
      void place.close();
    }
    setTimeout(() => {
      this.kill();
    }, END_AT_ONCE_MS);
  }

  private get pids(): number[] {
    return this.places.flatMap(({ pids }) => pids);
  }

  private kill(): void {
    for (const place of this.places) {
      place.kill();
    }
  }

  private async open(): Promise<WorkerEnd | undefined> {
    const [first, ...others] = this.places;
    const worker = await first?.open();
    const hasStarted = await worker?.listening;
    if (this.isStopping) {
      return undefined;
    }
    if (hasStarted === false) {
      this.isStopping = true;
      return worker?.ended;
    }
    for (const place of this.places) {
      place.keep();
    }
    await Promise.all(others.map((place) => place.open()));
    this.log.info('workers are listening', { workers: this.pids });
    return undefined;
  }

  private async renewEach(): Promise<void> {
    for (const place of this.isStopping ? [] : this.places) {
      const isRenewed = await place.renew();
      if (this.isStopping) {
        return;
      }
      if (!isRenewed) {
        this.log.error('a new worker did not start: the existing workers stay', {
          workers: this.pids,
        });
        return;
      }
    }
    this.log.info('workers were replaced', { workers: this.pids });
  }
}
