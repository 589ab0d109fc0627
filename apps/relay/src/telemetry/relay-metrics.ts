import { Injectable } from '@nestjs/common';
import type { StoreMeter, StoreOperation } from '@relay/session';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

import type { UpgradeRole } from '../admission/upgraded-connections.js';
import type { DropReason } from '../traces/span-export.js';
import { ChannelMetrics } from './channel-metrics.js';
import { ClientMetrics } from './client-metrics.js';
import { ObservableGauge } from './observable-gauge.js';
import type { Role } from './request-record.js';
import { TrafficTotals } from './traffic-totals.js';

/** Why the outbound side paired. All reasons except `first` mean that it paired again. */
export type PairingReason = 'first' | 'renewal' | 'expired' | 'dropped' | 'suspected';

/** From one millisecond to the longest usual timeout. */
const DURATION_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** Store operations take well under a millisecond unless something is wrong. */
const STORE_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1];

const STORE_OPERATIONS: readonly StoreOperation[] = ['reserve', 'put', 'open', 'mark', 'kill'];
const DROP_REASONS: readonly DropReason[] = ['queue_full', 'export_failed', 'stopped'];
const REPLAY_CODES = new Set(['RELAY_MESSAGE_REPLAYED', 'RELAY_PAIR_REPLAYED']);
/** Codes for requests, pairings and responses that were not made by a relay with the secret. */
const SIGNATURE_CODES = new Set(['RELAY_SENDER_INVALID', 'RELAY_PEER_ANSWER_INVALID']);

/**
 * All metrics of a relay; docs/metrics.md lists them. Every label has a small set of values, fixed or named in the directory: never
 * a path, a peer or anything else that a client chooses. Metrics on which an alert depends start at 0, so that the first event is noticed.
 */
@Injectable()
export class RelayMetrics implements StoreMeter {
  readonly registry = new Registry();

  readonly requests = new Counter({
    name: 'mte_relay_requests_total',
    help: 'Requests that ended, by role and by error code ("ok" where there was none)',
    labelNames: ['role', 'code'] as const,
    registers: [this.registry],
  });

  readonly requestSeconds = new Histogram({
    name: 'mte_relay_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer',
    labelNames: ['role'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  readonly concurrentRequests = new ObservableGauge(
    this.registry,
    'mte_relay_concurrent_requests',
    'Requests of the tunnel that are being forwarded at this moment',
  );

  readonly passThroughRequests = new ObservableGauge(
    this.registry,
    'mte_relay_pass_through_requests',
    'Requests on pass-through routes that are being forwarded at this moment',
  );

  readonly upgradedConnections = new ObservableGauge<UpgradeRole>(
    this.registry,
    'mte_relay_upgraded_connections',
    'Upgraded connections, such as WebSockets, that are open at this moment, by role',
    'role',
  );

  readonly upgradedConnectionsLimit = new ObservableGauge(
    this.registry,
    'mte_relay_upgraded_connections_limit',
    'The most upgraded connections of the tunnel that there may be: MAX_UPGRADED_CONNECTIONS',
  );

  readonly traffic = new TrafficTotals(this.registry);

  readonly pairings = new Counter({
    name: 'mte_relay_pairings_total',
    help: 'Pairings that this relay began, by error code ("ok" where they succeeded) and by reason',
    labelNames: ['code', 'reason'] as const,
    registers: [this.registry],
  });

  readonly pairingSeconds = new Histogram({
    name: 'mte_relay_pairing_duration_seconds',
    help: 'Time that successful pairings took',
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  readonly retries = new Counter({
    name: 'mte_relay_retries_total',
    help: 'Requests that were sealed and sent a second time',
    registers: [this.registry],
  });

  readonly upstreamRepeats = new Counter({
    name: 'mte_relay_upstream_repeats_total',
    help: 'Requests that were sent to the upstream a second time, because a kept connection was lost',
    registers: [this.registry],
  });

  readonly peers = new ObservableGauge<'known' | 'paired' | 'unreachable'>(
    this.registry,
    'mte_relay_peers',
    'Other relays: known since the start, with a session in use, out of reach',
    'state',
  );

  readonly replays = new Counter({
    name: 'mte_relay_replays_refused_total',
    help: 'Messages and pairings that were refused because they were seen before',
    labelNames: ['role'] as const,
    registers: [this.registry],
  });

  readonly signatureFailures = new Counter({
    name: 'mte_relay_signature_failures_total',
    help: 'Requests, pairings and answers that no relay with the secret made',
    labelNames: ['role'] as const,
    registers: [this.registry],
  });

  readonly storeSeconds = new Histogram({
    name: 'mte_relay_store_duration_seconds',
    help: 'Time that operations of the session store took',
    labelNames: ['operation'] as const,
    buckets: STORE_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  readonly storeErrors = new Counter({
    name: 'mte_relay_store_errors_total',
    help: 'Operations of the session store whose outcome is unknown',
    labelNames: ['operation'] as const,
    registers: [this.registry],
  });

  readonly storeAvailable = new Gauge({
    name: 'mte_relay_store_available',
    help: '1 while the session store can be reached, else 0',
    aggregator: 'min',
    registers: [this.registry],
  });

  readonly openSockets = new ObservableGauge<'listener' | 'peers' | 'upstream'>(
    this.registry,
    'mte_relay_open_sockets',
    'Connections that are open: accepted by the listener, to other relays, to the upstream',
    'side',
  );

  readonly channels = new ChannelMetrics(this.registry);

  readonly clients = new ClientMetrics(this.registry);

  readonly bufferedBytes = new ObservableGauge<'mte'>(
    this.registry,
    'mte_relay_held_bytes',
    'Bytes of messages that are released only whole',
    'type',
  );

  readonly certificateNotAfter = new Gauge({
    name: 'mte_relay_tls_certificate_not_after_seconds',
    help: 'Unix time at which the certificate of the listener ends; 0 where it speaks plain HTTP',
    aggregator: 'min',
    registers: [this.registry],
  });

  readonly directoryReloads = new Counter({
    name: 'mte_relay_directory_reloads_total',
    help: 'Changes of RELAY_CONFIG_FILE, or of a file that it names, that took effect or were refused',
    labelNames: ['result'] as const,
    registers: [this.registry],
  });

  readonly directoryRefused = new Gauge({
    name: 'mte_relay_directory_refused',
    help: '1 while RELAY_CONFIG_FILE cannot be used and an earlier state of it is in use, else 0',
    aggregator: 'max',
    registers: [this.registry],
  });

  readonly spansExported = new Counter({
    name: 'mte_relay_trace_spans_exported_total',
    help: 'Spans in exports that the collector has responded to without an error',
    registers: [this.registry],
  });

  readonly spansDropped = new Counter({
    name: 'mte_relay_trace_spans_dropped_total',
    help: 'Spans that were not exported, by reason',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const operation of STORE_OPERATIONS) {
      this.storeErrors.inc({ operation }, 0);
    }
    for (const reason of DROP_REASONS) {
      this.spansDropped.inc({ reason }, 0);
    }
    for (const role of ['inbound', 'pairing'] as const) {
      this.replays.inc({ role }, 0);
      this.signatureFailures.inc({ role }, 0);
    }
    this.signatureFailures.inc({ role: 'outbound' }, 0);
  }

  /** Counts the error code of a request, if it means a replay or a failed signature. */
  observeCode(role: Role, code: string): void {
    if (REPLAY_CODES.has(code)) {
      this.replays.inc({ role });
    } else if (SIGNATURE_CODES.has(code)) {
      this.signatureFailures.inc({ role });
    }
  }

  /** Records an operation of the session store. */
  observe(operation: StoreOperation, seconds: number, hasFailed: boolean): void {
    this.storeSeconds.observe({ operation }, seconds);
    if (hasFailed) {
      this.storeErrors.inc({ operation });
    }
  }
}
