import type { ProcessHistory, ProcessReport, StatusReport, TrafficHistory } from '@relay/status';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The metrics of one process at one moment. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** What each worker has a part of. */
export interface Parts {
  readonly metrics: Snapshot;
  readonly report: ProcessReport;
  readonly history: ProcessHistory;
}

/** What the parts of all workers come to. */
export interface Totals {
  /** In the Prometheus format. */
  readonly metrics: string;
  readonly report: StatusReport;
  readonly history: TrafficHistory;
}

/** What the primary adds up. */
export type Subject = keyof Parts & keyof Totals;

/** A message from a worker to the primary. */
export type WorkerMessage =
  | { readonly kind: 'listening' }
  | { readonly kind: 'part'; readonly of: Subject; readonly part: Parts[Subject] }
  | { readonly kind: 'total wanted'; readonly of: Subject };

/** A message from the primary to a worker. */
export type PrimaryMessage =
  | { readonly kind: 'part wanted'; readonly of: Subject }
  | { readonly kind: 'total'; readonly of: Subject; readonly total: Totals[Subject] };
