import { Injectable } from '@nestjs/common';
import type { StoreMeter, StoreOperation } from '@relay/session';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The side of the relay that a request came to; none where that could not be read. */
export type Role = 'outbound' | 'inbound' | 'pairing' | 'pass-through' | 'own' | 'none';

/** From a millisecond to the longest time-out that is usual. */
const DURATION_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
/** Store operations take well under a millisecond, or something is wrong. */
const STORE_BUCKETS_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1];

/**
 * All metrics of a relay; docs/metrics.md lists them. Every label has a small fixed set of values: never a path, a peer
 * or anything else that a client chooses.
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

  readonly concurrentRequests = new Gauge({
    name: 'mte_relay_concurrent_requests',
    help: 'Requests that are being forwarded at this moment',
    registers: [this.registry],
  });

  readonly pairings = new Counter({
    name: 'mte_relay_pairings_total',
    help: 'Pairings that this relay began, by error code ("ok" where they succeeded)',
    labelNames: ['code'] as const,
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

  readonly certificateNotAfter = new Gauge({
    name: 'mte_relay_tls_certificate_not_after_seconds',
    help: 'Unix time at which the certificate of the listener ends; 0 where it speaks plain HTTP',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  observe(operation: StoreOperation, seconds: number, hasFailed: boolean): void {
    this.storeSeconds.observe({ operation }, seconds);
    if (hasFailed) {
      this.storeErrors.inc({ operation });
    }
  }
}
