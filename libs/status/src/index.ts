/**
 * What a relay tells its operator about itself: the report that each process makes, and how those of several become one. The
 * page imports it too, so this library imports nothing and uses nothing of Node.js.
 */
export {
  intervalOf,
  sumHistories,
  trafficHistory,
  type IntervalCounts,
  type ProcessHistory,
} from './history.js';
export {
  LATENCY_BUCKETS,
  latenciesOf,
  latencyBucket,
  sumLatencies,
  type Latencies,
} from './latencies.js';
export { RefusalList } from './refusal-list.js';
export {
  INTERVAL_SECONDS,
  MAX_INTERVALS,
  MAX_REFUSALS,
  MAX_ROWS,
  type ClientStatus,
  type PeerStatus,
  type RefusalStatus,
  type RelayFacts,
  type Status,
  type StatusReport,
  type StoreStatus,
  type TenantStatus,
  type TrafficHistory,
  type TrafficStatus,
} from './status-report.js';
export { statusReport, sumReports, type ProcessReport, type TrafficCounts } from './sum-reports.js';
