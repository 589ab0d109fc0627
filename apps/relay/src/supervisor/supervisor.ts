import type { RelayConfig } from '@relay/config';

import type { RelayLog } from '../telemetry/relay-log.js';
import { WorkerPlace } from './worker-place.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

/** How much longer than its own time limits a worker may take before it is killed. */
const STOP_GRACE_MS = 5_000;
/** How long workers may take to end when they have been told to end immediately. */
const END_AT_ONCE_MS = 1_000;

/** Keeps a fixed number of workers running. It serves no requests itself. */
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
   * Starts one worker first and then the others, so that a fault in their configuration or address is reported only once.
   * Resolves once all workers listen, or have been told to end.
   *
   * @returns how the first worker ended, if it ended unexpectedly before it listened
   */
  start(): Promise<WorkerEnd | undefined> {
    const started = this.open();
    this.work = started.then(() => undefined);
    return started;
  }

  /** Replaces the workers one after another. If it is called while a renewal is under way, another one follows. */
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

  /** Tells the workers to end. @returns whether all of them ended within their time limits */
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

  /** Tells the workers a second time to end, and kills those that do not end immediately. */
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
