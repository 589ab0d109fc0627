import type { DropReason, ExportEvents } from '../traces/span-export.js';
import type { RelayLog } from './relay-log.js';
import type { RelayMetrics } from './relay-metrics.js';

/** Counts what becomes of spans, and logs when the collector cannot be had, and when it can again. */
export class ExportReports implements ExportEvents {
  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
  ) {}

  exported(spans: number): void {
    this.metrics.spansExported.inc(spans);
  }

  dropped(spans: number, reason: DropReason): void {
    this.metrics.spansDropped.inc({ reason }, spans);
  }

  failing(reason: string): void {
    this.log.warn('traces cannot be exported: requests go on, and their spans are dropped', {
      reason,
    });
  }

  recovered(): void {
    this.log.info('traces can be exported again');
  }
}
