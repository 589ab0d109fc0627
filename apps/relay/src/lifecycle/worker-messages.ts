import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The metrics of one process at one moment. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** A message from a worker to the primary. */
export type WorkerMessage =
  | { readonly kind: 'listening' }
  | { readonly kind: 'metrics'; readonly metrics: Snapshot }
  | { readonly kind: 'report wanted' };

/** A message from the primary to a worker. */
export type PrimaryMessage =
  { readonly kind: 'metrics wanted' } | { readonly kind: 'report'; readonly text: string };
