import { AggregatorRegistry, type Registry } from 'prom-client';

import type { RelayLog } from '../telemetry/relay-log.js';
import type { Snapshot } from '../lifecycle/worker-messages.js';
import type { Sum } from './worker-parts.js';

/**
 * The metrics of several workers, combined into those of one relay. Counters of workers that have ended remain in the totals:
 * if a total fell, Prometheus would take it for a counter that was reset, and count its whole value as an increase.
 */
export class MetricTotals implements Sum<Snapshot, string> {
  private readonly latest = new Map<unknown, Snapshot>();
  private departed: Promise<Snapshot> = Promise.resolve([]);

  constructor(private readonly log: RelayLog) {}

  /** Replaces the earlier metrics of a worker. */
  take(worker: unknown, metrics: Snapshot): void {
    this.latest.set(worker, metrics);
  }

  /** The worker has ended. Its counters are kept; its gauges, such as open connections, are dropped. */
  leave(worker: unknown): void {
    const last = this.latest.get(worker) ?? [];
    this.latest.delete(worker);
    this.departed = this.departed.then((before) => this.withCounted(before, last));
  }

  /** The totals in the Prometheus format. */
  async total(): Promise<string> {
    return sum([...this.latest.values(), await this.departed]).metrics();
  }

  private async withCounted(before: Snapshot, last: Snapshot): Promise<Snapshot> {
    try {
      return await sum([last.filter(isCounted), before]).getMetricsAsJSON();
    } catch (error) {
      this.log.error('the counts of a worker are lost', { error });
      return before;
    }
  }
}

function isCounted({ type }: Snapshot[number]): boolean {
  // At runtime the type is its name, although prom-client declares an enum.
  return ['counter', 'histogram'].includes(String(type));
}

/**
 * Aggregators that replace those of prom-client. It would average the event loop lag, which would hide a single worker that
 * hangs, and omit the start time of the process.
 */
const REPLACED_AGGREGATORS: Readonly<Record<string, string>> = { average: 'max', omit: 'min' };

function sum(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate(
    snapshots.map((metrics) =>
      metrics.map((metric) => {
        const { aggregator } = metric;
        return { ...metric, aggregator: REPLACED_AGGREGATORS[aggregator] ?? aggregator };
      }),
    ),
  );
}
