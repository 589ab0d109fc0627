import type { Clock } from '@relay/clock';
import type { TenantEntry } from '@relay/config';
import { RouteList } from '@relay/http';

import type { RelayLog } from '../telemetry/relay-log.js';
import { RequestedPaths } from './requested-paths.js';
import { RouteRule } from './route-rule.js';
import { UpstreamClient } from './upstream-client.js';
import { UpstreamConnections } from './upstream-connections.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** An API behind this relay, with the rules for what reaches it. It is replaced when its entry changes. */
export class Tenant {
  readonly upstream: UpstreamClient;
  /** What peers may request. */
  readonly routeRule: RouteRule;
  /** What anybody may request. */
  readonly passThroughRoutes: RouteList;
  readonly paths: RequestedPaths;
  private readonly connections: UpstreamConnections;

  constructor(
    readonly entry: TenantEntry,
    readonly settings: UpstreamSettings,
    clock: Clock,
    log: RelayLog,
  ) {
    this.connections = new UpstreamConnections(settings, clock, log);
    this.upstream = new UpstreamClient(settings, this.connections);
    this.routeRule = new RouteRule(settings);
    this.passThroughRoutes = new RouteList(settings.passThroughRoutes);
    this.paths = new RequestedPaths(settings);
  }

  /** How many connections to the API are open. */
  get openSockets(): number {
    return this.connections.openSockets;
  }

  /** To be called when it is removed: what is under way may still end. */
  retire(): void {
    this.connections.retire();
  }

  /** Closes all connections, whatever they carry. */
  destroy(): Promise<void> {
    return this.connections.destroy();
  }
}
