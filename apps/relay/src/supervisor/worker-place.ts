import type { RelayLog } from '../telemetry/relay-log.js';
import { RespawnDelay } from './respawn-delay.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

/** A start takes about a second. A worker that does not listen by this time never will. */
const START_LIMIT_MS = 60_000;

/** The place of one worker among those of the relay. If the worker ends unexpectedly, the place starts another one. */
export class WorkerPlace {
  /** One worker; two while one is taking over from the other. */
  private readonly workers = new Set<WorkerProcess>();
  private readonly delay = new RespawnDelay();
  /** Set while the place is waiting to start its next worker. */
  private respawn: NodeJS.Timeout | undefined;
  private isKept = false;

  /** @param endLimitMs - how long a worker that was told to end may take before it is killed */
  constructor(
    private readonly spawn: () => WorkerProcess,
    private readonly endLimitMs: number,
    private readonly log: RelayLog,
  ) {}

  /** The process ids of the workers in this place. */
  get pids(): number[] {
    return [...this.workers].flatMap(({ pid }) => pid ?? []);
  }

  /** Starts a worker, without a retry. Resolves once it listens or has ended. */
  async open(): Promise<WorkerProcess> {
    const worker = this.add();
    await worker.listening;
    return worker;
  }

  /** From now on, a worker that ends is replaced. */
  keep(): void {
    this.isKept = true;
  }

  /**
   * Replaces the worker. The new worker listens before the previous one is told to end. Resolves once the previous one has
   * ended.
   *
   * @returns false if the new worker did not listen, or the place was closed; nothing has changed then
   */
  async renew(): Promise<boolean> {
    const before = [...this.workers];
    const successor = this.add();
    const isListening = await successor.listening;
    if (!isListening || !this.isKept) {
      return false;
    }
    for (const worker of before) {
      worker.retire();
      killAfter(this.endLimitMs, worker);
    }
    await Promise.all(before.map(({ ended }) => ended));
    return true;
  }

  /** Tells the workers to end, and starts no new ones. Resolves once they have ended. */
  async close(): Promise<void> {
    this.isKept = false;
    this.cancelRespawn();
    for (const worker of this.workers) {
      worker.retire();
    }
    await Promise.all([...this.workers].map(({ ended }) => ended));
  }

  /** Kills the workers. */
  kill(): void {
    for (const worker of this.workers) {
      worker.kill();
    }
  }

  private add(): WorkerProcess {
    const worker = this.spawn();
    // Not earlier: if no process could be created, the scheduled retry must remain.
    this.cancelRespawn();
    this.workers.add(worker);
    this.limitStart(worker);
    void worker.ended.then((end) => {
      this.workers.delete(worker);
      this.afterEnd(worker, end);
    });
    return worker;
  }

  private limitStart(worker: WorkerProcess): void {
    const limit = setTimeout(() => {
      this.log.error('a worker that did not start listening was killed', { worker: worker.pid });
      worker.kill();
    }, START_LIMIT_MS);
    void worker.listening.then(() => {
      clearTimeout(limit);
    });
  }

  private afterEnd({ pid, isRetired, livedMs }: WorkerProcess, end: WorkerEnd): void {
    if (!this.isKept) {
      return;
    }
    if (!isRetired) {
      this.log.error('a worker ended unexpectedly', { worker: pid, ...end });
    }
    // Workers that were told to end do not count: nothing else would replace them.
    const isVacant = [...this.workers].every((worker) => worker.isRetired);
    if (isVacant && this.respawn === undefined) {
      this.respawnAfter(this.delay.next(livedMs));
    }
  }

  private respawnAfter(ms: number): void {
    this.respawn = setTimeout(() => {
      try {
        this.add();
      } catch (error) {
        this.log.error('a worker could not be started', { error });
        this.respawnAfter(this.delay.next(0));
      }
    }, ms);
  }

  private cancelRespawn(): void {
    clearTimeout(this.respawn);
    this.respawn = undefined;
  }
}

function killAfter(ms: number, worker: WorkerProcess): void {
  const limit = setTimeout(() => {
    worker.kill();
  }, ms);
  void worker.ended.then(() => {
    clearTimeout(limit);
  });
}
