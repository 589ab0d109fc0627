import { Injectable } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';

import { KnownState } from './known-state.js';
import { Readiness } from './readiness.js';

/** The health of this relay in the format of Terminus, for the client listener and the admin listener. */
@Injectable()
export class HealthService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
    private readonly known: KnownState,
  ) {}

  /** Whether the process runs. It depends on nothing else, so that no outage elsewhere restarts the process. */
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Whether new requests should be sent to this relay.
   *
   * @throws ServiceUnavailableException while the session store is unavailable, or once the process is shutting down
   */
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.readiness.process(),
      () => this.readiness.sessionStore(),
      () => this.known.peers(),
      () => this.known.channels(),
      () => this.known.upstream(),
      () => this.known.audience(),
      () => this.known.knownParties(),
    ]);
  }
}
