import { EventEmitter, once } from 'node:events';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import type { Parts, PrimaryMessage, Subject, Totals, WorkerMessage } from './worker-messages.js';
import { isOurWorker } from './our-worker.js';

/** Longer than the primary waits for the other workers. */
const TOTAL_LIMIT_MS = 5_000;

type PartReader<Of extends Subject> = () => Promise<Parts[Of]>;

/**
 * The messages between a worker and the primary. If this process is not a worker, there is no primary, and nothing is sent.
 * Node.js ends a worker as soon as its primary is gone.
 */
@Injectable()
export class PrimaryLink implements OnApplicationShutdown {
  /** Whether there is a primary, that is, whether this process is one of several workers. */
  readonly isThere = isOurWorker;
  private readonly totals = new EventEmitter<Record<Subject, [total: Totals[Subject]]>>();
  private readonly readers = new Map<Subject, PartReader<Subject>>();

  constructor(private readonly metrics: RelayMetrics) {
    // As many may wait for a total as there are requests for it.
    this.totals.setMaxListeners(0);
    this.provide('metrics', () => metrics.registry.getMetricsAsJSON());
    if (this.isThere) {
      // Only the primary acts on this signal, even if a terminal sends it to both.
      process.on('SIGHUP', () => undefined);
      process.on('message', (message: PrimaryMessage) => {
        if (message.kind === 'total') {
          this.totals.emit(message.of, message.total);
        } else {
          void this.sendPart(message.of);
        }
      });
    }
  }

  /** Registers what reads the part of this process. */
  provide<Of extends Subject>(subject: Of, read: PartReader<Of>): void {
    this.readers.set(subject, read);
  }

  /** Reports that this worker listens: from now on it accepts its share of the connections. */
  reportListening(): void {
    void this.send({ kind: 'listening' });
  }

  /** Metrics in the Prometheus format: those of this process, or of all workers together. */
  async allMetrics(): Promise<string> {
    return this.isThere ? this.total('metrics') : this.metrics.registry.metrics();
  }

  /**
   * Asks the primary what the parts of all workers come to.
   *
   * @throws Error if it does not respond in time, as it does not where there is no primary
   */
  async total<Of extends Subject>(subject: Of): Promise<Totals[Of]> {
    const signal = AbortSignal.timeout(TOTAL_LIMIT_MS);
    const [[total]] = await Promise.all([
      once(this.totals, subject, { signal }) as Promise<[Totals[Of]]>,
      // This worker may not listen yet, and so is not asked for its part.
      this.sendPart(subject).then(() => this.send({ kind: 'total wanted', of: subject })),
    ]);
    return total;
  }

  /** Sends what this worker has counted, so that it remains in the totals. By now every request has ended. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.readers.keys()].map((subject) => this.sendPart(subject)));
  }

  private async sendPart(subject: Subject): Promise<void> {
    const part = this.isThere ? await this.readers.get(subject)?.() : undefined;
    if (part !== undefined) {
      await this.send({ kind: 'part', of: subject, part });
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
