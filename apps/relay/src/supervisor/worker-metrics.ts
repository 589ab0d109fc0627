import type { RelayLog } from '../telemetry/relay-log.js';
import { MetricTotals } from './metric-totals.js';
import type { WorkerProcess } from './worker-process.js';

/** If a worker does not send its metrics within this time, its earlier ones are used. */
const METRICS_LIMIT_MS = 2_000;

/** Collects the metrics of all workers whenever the metrics of the relay are requested from one of them. */
export class WorkerMetrics {
  private readonly totals: MetricTotals;
  /** Workers that listen, each with the function to call when its metrics have arrived. */
  private readonly metricsListeners = new Map<WorkerProcess, () => void>();
  private collecting: Promise<string> | undefined;

  constructor(private readonly log: RelayLog) {
    this.totals = new MetricTotals(log);
  }

  /** Adds a worker that has just been started. */
  add(worker: WorkerProcess): void {
    worker.onMessage((message) => {
      if (message.kind === 'listening') {
        this.metricsListeners.set(worker, () => undefined);
      } else if (message.kind === 'metrics') {
        this.totals.take(worker, message.metrics);
        this.metricsListeners.get(worker)?.();
      } else {
        void this.sendReport(worker);
      }
    });
    worker.onDisconnect(() => {
      this.metricsListeners.get(worker)?.();
      this.metricsListeners.delete(worker);
      this.totals.leave(worker);
    });
  }

  private async sendReport(worker: WorkerProcess): Promise<void> {
    try {
      worker.send({ kind: 'report', text: await this.report() });
    } catch (error) {
      this.log.error('the metrics of the workers could not be summed', { error });
    }
  }

  /** Concurrent calls share one result. */
  private report(): Promise<string> {
    this.collecting ??= this.collect().finally(() => {
      this.collecting = undefined;
    });
    return this.collecting;
  }

  private async collect(): Promise<string> {
    await Promise.all([...this.metricsListeners.keys()].map((worker) => this.request(worker)));
    return this.totals.text();
  }

  private request(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, METRICS_LIMIT_MS);
      this.metricsListeners.set(worker, () => {
        clearTimeout(limit);
        resolve();
      });
      worker.send({ kind: 'metrics wanted' });
    });
  }
}
