import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig, type TenantEntry } from '@relay/config';
import { AudienceRefusedError } from '@relay/session';

import { DirectoryService } from '../directory/directory.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { Tenant } from './tenant.js';
import { upstreamSettings } from './upstream-settings.js';

/** What a tenant is chosen by: a session, which authenticates it. */
export interface TenantClaim {
  /** Name of the audience that was paired for. */
  readonly audience: string;
  /** Of the secret that the peer signs with. */
  readonly kid: string;
}

/** The APIs behind this relay. */
@Injectable()
export class TenantsService implements OnApplicationShutdown {
  private readonly tenants = new Map<TenantEntry, Tenant>();

  constructor(
    private readonly config: RelayConfig,
    private readonly directory: DirectoryService,
    @Inject(Clock) private readonly clock: Clock,
    private readonly log: RelayLog,
    metrics: RelayMetrics,
  ) {
    metrics.openSockets.observe(
      () => [...this.tenants.values()].reduce((sum, { openSockets }) => sum + openSockets, 0),
      'upstream',
    );
    this.makeAll();
    directory.onChange(() => {
      this.makeAll();
    });
  }

  /** What the last attempts to connect showed, without a call to any API: the worst of it. */
  get state(): 'unknown' | 'reachable' | 'unreachable' {
    const states = [...this.tenants.values()].map(({ upstream }) => upstream.state);
    return (['unreachable', 'reachable'] as const).find((one) => states.includes(one)) ?? 'unknown';
  }

  /** All of them, in the order of the configuration. */
  get all(): readonly Tenant[] {
    return this.directory.current.tenants.entries.flatMap((entry) => this.tenants.get(entry) ?? []);
  }

  /** The tenant that a peer may enter, or undefined if there is none, or not any more. */
  find({ audience, kid }: TenantClaim): Tenant | undefined {
    const entry = this.directory.current.tenantFor(audience, kid);
    return entry === undefined ? undefined : this.tenants.get(entry);
  }

  /** @throws AudienceRefusedError if there is no such tenant, or not any more */
  of(claim: TenantClaim): Tenant {
    const tenant = this.find(claim);
    if (tenant === undefined) {
      throw new AudienceRefusedError('the tenant of the session has been removed');
    }
    return tenant;
  }

  /** The tenant that an unauthenticated request is for. @param authority - the host field */
  ofHost(authority: string): Tenant | undefined {
    const entry = this.directory.current.tenants.findByHost(authority);
    return entry === undefined ? undefined : this.tenants.get(entry);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.tenants.values()].map((tenant) => tenant.destroy()));
  }

  /**
   * What is under way to a tenant that was removed or replaced may still end: its connections are closed by nobody, but none of
   * them is kept for long without a request.
   */
  private makeAll(): void {
    const { entries } = this.directory.current.tenants;
    for (const [entry, tenant] of this.tenants) {
      if (!entries.includes(entry)) {
        tenant.retire();
        this.tenants.delete(entry);
      }
    }
    for (const entry of entries) {
      if (!this.tenants.has(entry)) {
        this.tenants.set(
          entry,
          new Tenant(entry, upstreamSettings(entry, this.config), this.clock, this.log),
        );
      }
    }
  }
}
