import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig, shownName } from '@relay/config';
import { StoreHealth, type StoreReport } from '@relay/session';
import {
  MAX_ROWS,
  type ProcessHistory,
  type ProcessReport,
  type StoreStatus,
  type TenantStatus,
} from '@relay/status';

import { DirectoryService } from '../directory/directory.service.js';
import { nextExpirySeconds } from '../outbound/token-expiry.js';
import { TenantsService } from '../upstream/tenants.service.js';
import { NO_TRAFFIC } from './party-traffic.js';
import { PeerRows } from './peer-rows.js';
import { ProcessFacts } from './process-facts.js';
import { TrafficWatch } from './traffic-watch.js';

/** What this process alone does and knows now. */
@Injectable()
export class ProcessStatus {
  private lastOfStore: StoreReport | undefined;

  constructor(
    private readonly config: RelayConfig,
    private readonly directory: DirectoryService,
    private readonly facts: ProcessFacts,
    private readonly peers: PeerRows,
    private readonly tenants: TenantsService,
    private readonly traffic: TrafficWatch,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(StoreHealth) store: StoreHealth,
  ) {
    store.watch((report) => {
      this.lastOfStore = report;
    });
  }

  async report(): Promise<ProcessReport> {
    const nowMs = this.clock.nowMs();
    return {
      atMs: nowMs,
      relay: await this.facts.all(),
      traffic: this.traffic.all.counts(nowMs),
      peers: this.peers.all(nowMs),
      clients: this.clients(nowMs),
      tenants: this.tenants.all.map(({ entry, settings, upstream, openSockets }): TenantStatus => ({
        name: shownName(entry.name),
        upstream: settings.upstreamOrigin,
        state: upstream.state,
        connections: openSockets,
      })),
      store: this.store(),
      refusals: this.traffic.refusals.newestFirst,
    };
  }

  history(): ProcessHistory {
    return this.traffic.intervals(this.clock.nowMs());
  }

  private clients(nowMs: number): ProcessReport['clients'] {
    return this.directory.current.entries.clients.slice(0, MAX_ROWS).map((client) => {
      const traffic = this.traffic.clients.find(client.name);
      const endsAtSeconds = nextExpirySeconds(client, nowMs);
      return {
        name: shownName(client.name),
        traffic: traffic?.counts(nowMs) ?? NO_TRAFFIC,
        tokenEndsAtMs: endsAtSeconds === undefined ? undefined : endsAtSeconds * 1_000,
        lastRefusal: traffic?.lastRefusal,
      };
    });
  }

  private store(): StoreStatus {
    const { lastOfStore } = this;
    return {
      kind: this.config.redisAddress === undefined ? 'memory' : 'redis',
      state: lastOfStore?.state ?? 'unavailable',
      warnings: lastOfStore?.state === 'available' ? lastOfStore.description.warnings : [],
    };
  }
}
