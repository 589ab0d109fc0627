import { EventEmitter, once } from 'node:events';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import type { PrimaryMessage, WorkerMessage } from './worker-messages.js';
import { isOurWorker } from './our-worker.js';

/** The primary waits for other workers for less than that. */
const REPORT_LIMIT_MS = 5_000;

/**
 * What a worker and the primary have to tell each other. Where this process is alone there is nobody to tell. A worker
 * whose primary is gone ends at once: Node.js sees to that.
 */
@Injectable()
export class PrimaryLink implements OnApplicationShutdown {
  readonly isThere = isOurWorker;
  private readonly reports = new EventEmitter<{ report: [text: string] }>();

  constructor(private readonly metrics: RelayMetrics) {
    if (this.isThere) {
      // It is for the primary to act on, also where a terminal sends it to both.
      process.on('SIGHUP', () => undefined);
      process.on('message', (message: PrimaryMessage) => {
        if (message.kind === 'report') {
          this.reports.emit('report', message.text);
        } else {
          void this.tellMetrics();
        }
      });
    }
  }

  /** From now on this worker takes its part of the connections. */
  tellListening(): void {
    void this.tell({ kind: 'listening' });
  }

  /** Metrics in Prometheus' format: of this process, or of all workers together. */
  async report(): Promise<string> {
    if (!this.isThere) {
      return this.metrics.registry.metrics();
    }
    const signal = AbortSignal.timeout(REPORT_LIMIT_MS);
    const [[text]] = await Promise.all([
      once(this.reports, 'report', { signal }) as Promise<[string]>,
      this.tell({ kind: 'report wanted' }),
    ]);
    return text;
  }

  /** What this worker has counted stays in the sums. By now every request has ended. */
  async onApplicationShutdown(): Promise<void> {
    await this.tellMetrics();
  }

  private async tellMetrics(): Promise<void> {
    if (this.isThere) {
      await this.tell({ kind: 'metrics', metrics: await this.metrics.registry.getMetricsAsJSON() });
    }
  }

  /** @returns once it has left, or cannot leave: there is no primary, or it is gone, and this process about to be */
  private tell(message: WorkerMessage): Promise<void> {
    return new Promise((resolve) => {
      if (!this.isThere || process.send === undefined) {
        resolve();
        return;
      }
      process.send(message, () => {
        resolve();
      });
    });
  }
}
