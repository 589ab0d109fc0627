import { AggregatorRegistry, type Registry } from 'prom-client';

import type { RelayLog } from '../telemetry/relay-log.js';
import type { Snapshot } from '../lifecycle/worker-messages.js';

/**
 * The metrics of several workers as those of one relay. What workers have counted stays when they are gone: a sum that
 * falls would be taken for a counter that began anew, and all of it for an increase.
 */
export class MetricTotals {
  private readonly latest = new Map<unknown, Snapshot>();
  private departed: Promise<Snapshot> = Promise.resolve([]);

  constructor(private readonly log: RelayLog) {}

  /** The newest of a worker take the place of those before. */
  take(worker: unknown, metrics: Snapshot): void {
    this.latest.set(worker, metrics);
  }

  /** The worker has ended: what it had at this moment, such as open connections, is gone. */
  leave(worker: unknown): void {
    const last = this.latest.get(worker) ?? [];
    this.latest.delete(worker);
    this.departed = this.departed.then((before) => this.withCounted(before, last));
  }

  /** In Prometheus' format. */
  async text(): Promise<string> {
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
  // The name of the type, whatever the declaration of prom-client says.
  return ['counter', 'histogram'].includes(String(type));
}

/**
 * prom-client would take the mean of the event loops' lags, where one worker that hangs is not seen, and leave out when
 * the process started.
 */
const INSTEAD: Readonly<Record<string, string>> = { average: 'max', omit: 'min' };

function sum(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate(
    snapshots.map((metrics) =>
      metrics.map((metric) => {
        const { aggregator } = metric;
        return { ...metric, aggregator: INSTEAD[aggregator] ?? aggregator };
      }),
    ),
  );
}
