import type { RelayLog } from '../telemetry/relay-log.js';
import { RespawnDelay } from './respawn-delay.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

/** A start takes a second; what has not come to listen by then never will. */
const START_LIMIT_MS = 60_000;

/** A place for one worker: where it ends unasked, another takes it. */
export class WorkerPlace {
  /** One; two while one takes over from another. */
  private readonly workers = new Set<WorkerProcess>();
  private readonly delay = new RespawnDelay();
  /** Under way where the place waits for its next worker. */
  private respawn: NodeJS.Timeout | undefined;
  private isKept = false;

  /** @param endLimitMs - for a worker that was told to end; then it is killed */
  constructor(
    private readonly spawn: () => WorkerProcess,
    private readonly endLimitMs: number,
    private readonly log: RelayLog,
  ) {}

  /** Process ids of those who are here. */
  get pids(): number[] {
    return [...this.workers].flatMap(({ pid }) => pid ?? []);
  }

  /** Starts a worker, without a second attempt. */
  async open(): Promise<WorkerProcess> {
    const worker = this.add();
    await worker.listening;
    return worker;
  }

  /** From now on the place does not stay empty. */
  keep(): void {
    this.isKept = true;
  }

  /**
   * Has a new worker take over: it listens before those that were here are told to end.
   *
   * @returns once they have ended; false where no new one came to listen, and nothing has changed
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

  /** Tells the workers to end, and takes no new ones. @returns once they have ended */
  async close(): Promise<void> {
    this.isKept = false;
    this.cancelRespawn();
    for (const worker of this.workers) {
      worker.retire();
    }
    await Promise.all([...this.workers].map(({ ended }) => ended));
  }

  kill(): void {
    for (const worker of this.workers) {
      worker.kill();
    }
  }

  private add(): WorkerProcess {
    const worker = this.spawn();
    // Not before: where there is no process to be had, it is still to be tried again.
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
    // Those that were told to end do not count: they will be gone, and nobody else takes the place then.
    const isLeft = [...this.workers].every((worker) => worker.isRetired);
    if (isLeft && this.respawn === undefined) {
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
