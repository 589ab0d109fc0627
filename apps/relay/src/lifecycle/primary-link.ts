import { EventEmitter, once } from 'node:events';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import type { PrimaryMessage, WorkerMessage } from './worker-messages.js';
import { isOurWorker } from './our-worker.js';

/** Longer than the primary waits for the other workers. */
const REPORT_LIMIT_MS = 5_000;

/**
 * The messages between a worker and the primary. If this process is not a worker, there is no primary, and nothing is sent.
 * Node.js ends a worker as soon as its primary is gone.
 */
@Injectable()
export class PrimaryLink implements OnApplicationShutdown {
  /** Whether there is a primary, that is, whether this process is one of several workers. */
  readonly isThere = isOurWorker;
  private readonly reports = new EventEmitter<{ report: [text: string] }>();

  constructor(private readonly metrics: RelayMetrics) {
    if (this.isThere) {
      // Only the primary acts on this signal, even if a terminal sends it to both.
      process.on('SIGHUP', () => undefined);
      process.on('message', (message: PrimaryMessage) => {
        if (message.kind === 'report') {
          this.reports.emit('report', message.text);
        } else {
          void this.sendMetrics();
        }
      });
    }
  }

  /** Reports that this worker listens: from now on it accepts its share of the connections. */
  reportListening(): void {
    void this.send({ kind: 'listening' });
  }

  /** Metrics in the Prometheus format: those of this process, or of all workers together. */
  async report(): Promise<string> {
    if (!this.isThere) {
      return this.metrics.registry.metrics();
    }
    const signal = AbortSignal.timeout(REPORT_LIMIT_MS);
    const [[text]] = await Promise.all([
      once(this.reports, 'report', { signal }) as Promise<[string]>,
      this.send({ kind: 'report wanted' }),
    ]);
    return text;
  }

  /** Sends the final metrics, so that what this worker has counted remains in the totals. By now every request has ended. */
  async onApplicationShutdown(): Promise<void> {
    await this.sendMetrics();
  }

  private async sendMetrics(): Promise<void> {
    if (this.isThere) {
      await this.send({ kind: 'metrics', metrics: await this.metrics.registry.getMetricsAsJSON() });
    }
  }

  /** Resolves once the message has been sent, or cannot be sent because there is no primary or the primary is gone. */
  private send(message: WorkerMessage): Promise<void> {
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
