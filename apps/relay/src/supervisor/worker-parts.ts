import type { Parts, Subject, Totals, WorkerMessage } from '../lifecycle/worker-messages.js';
import type { RelayLog } from '../telemetry/relay-log.js';
import type { WorkerProcess } from './worker-process.js';

/** If a worker does not send its part within this time, its earlier one is used. */
const PART_LIMIT_MS = 2_000;

/** What the latest parts of all workers come to. */
export interface Sum<Part, Total> {
  /** Replaces the earlier part of a worker. */
  take(worker: unknown, part: Part): void;
  /** The worker has ended. */
  leave(worker: unknown): void;
  total(): Total | Promise<Total>;
}

/** Collects the parts of all workers whenever one of them wants the total. */
export class WorkerParts<Of extends Subject> {
  /** Workers that listen, each with the function to call when its part has arrived. */
  private readonly arrivals = new Map<WorkerProcess, () => void>();
  private collecting: Promise<Totals[Of]> | undefined;

  constructor(
    private readonly of: Of,
    private readonly sum: Sum<Parts[Of], Totals[Of]>,
    private readonly log: RelayLog,
  ) {}

  /** Adds a worker that has just been started. */
  add(worker: WorkerProcess): void {
    worker.onMessage((message) => {
      this.receive(worker, message);
    });
    worker.onDisconnect(() => {
      this.arrivals.get(worker)?.();
      this.arrivals.delete(worker);
      this.sum.leave(worker);
    });
  }

  private receive(worker: WorkerProcess, message: WorkerMessage): void {
    if (message.kind === 'listening') {
      this.arrivals.set(worker, () => undefined);
    } else if (message.of !== this.of) {
      return;
    } else if (message.kind === 'part') {
      this.sum.take(worker, message.part as Parts[Of]);
      this.arrivals.get(worker)?.();
    } else {
      void this.sendTotal(worker);
    }
  }

  private async sendTotal(worker: WorkerProcess): Promise<void> {
    try {
      worker.send({ kind: 'total', of: this.of, total: await this.total() });
    } catch (error) {
      this.log.error(`the ${this.of} of the workers could not be summed`, { error });
    }
  }

  /** Concurrent calls share one result. */
  private total(): Promise<Totals[Of]> {
    this.collecting ??= this.collect().finally(() => {
      this.collecting = undefined;
    });
    return this.collecting;
  }

  private async collect(): Promise<Totals[Of]> {
    await Promise.all([...this.arrivals.keys()].map((worker) => this.request(worker)));
    return this.sum.total();
  }

  private request(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, PART_LIMIT_MS);
      this.arrivals.set(worker, () => {
        clearTimeout(limit);
        resolve();
      });
      worker.send({ kind: 'part wanted', of: this.of });
    });
  }
}
