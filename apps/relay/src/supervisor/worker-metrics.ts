import type { RelayLog } from '../telemetry/relay-log.js';
import { MetricTotals } from './metric-totals.js';
import type { WorkerProcess } from './worker-process.js';

/** A worker that is busy for longer counts with what it said before. */
const ANSWER_LIMIT_MS = 2_000;

/** Asks all workers for their metrics whenever one of them is asked for those of the relay. */
export class WorkerMetrics {
  private readonly totals: MetricTotals;
  /** Workers that listen, with what is to be called when they answer. */
  private readonly answered = new Map<WorkerProcess, () => void>();
  private collecting: Promise<string> | undefined;

  constructor(private readonly log: RelayLog) {
    this.totals = new MetricTotals(log);
  }

  /** From its start on. */
  add(worker: WorkerProcess): void {
    worker.onMessage((message) => {
      if (message.kind === 'listening') {
        this.answered.set(worker, () => undefined);
      } else if (message.kind === 'metrics') {
        this.totals.take(worker, message.metrics);
        this.answered.get(worker)?.();
      } else {
        void this.answer(worker);
      }
    });
    worker.onDisconnect(() => {
      this.answered.get(worker)?.();
      this.answered.delete(worker);
      this.totals.leave(worker);
    });
  }

  private async answer(worker: WorkerProcess): Promise<void> {
    try {
      worker.tell({ kind: 'report', text: await this.report() });
    } catch (error) {
      this.log.error('the metrics of the workers could not be summed', { error });
    }
  }

  /** Those who ask at the same time get the same. */
  private report(): Promise<string> {
    this.collecting ??= this.collect().finally(() => {
      this.collecting = undefined;
    });
    return this.collecting;
  }

  private async collect(): Promise<string> {
    await Promise.all([...this.answered.keys()].map((worker) => this.ask(worker)));
    return this.totals.text();
  }

  private ask(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, ANSWER_LIMIT_MS);
      this.answered.set(worker, () => {
        clearTimeout(limit);
        resolve();
      });
      worker.tell({ kind: 'metrics wanted' });
    });
  }
}
