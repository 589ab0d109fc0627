import { Controller, Get, Inject, Param, UseFilters } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { Clock } from '@relay/session';

import { Readiness } from './readiness.js';
import { UnhealthyFilter } from './unhealthy.filter.js';

/** What `/api/mte-echo` answers. */
export interface Echo {
  readonly echo: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The relay's own endpoints: the smoke test, and what orchestrators ask. */
@Controller()
@UseFilters(UnhealthyFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  @Get('api/mte-echo')
  echo(): Echo {
    return this.echoMessage('test');
  }

  @Get('api/mte-echo/:message')
  echoMessage(@Param('message') message: string): Echo {
    return { echo: message, time: new Date(this.clock.nowMs()).toISOString() };
  }

  /** Whether the process runs; it depends on nothing else, so that no outage elsewhere restarts it. */
  @Get('health/live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** Whether new requests should be sent here: 503 while the session store is away or the process is stopping. */
  @Get('health/ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.readiness.process(),
      () => this.readiness.sessionStore(),
      () => this.readiness.peers(),
      () => this.readiness.upstream(),
    ]);
  }
}
