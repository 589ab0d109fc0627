import { Controller, Get, Inject, Param, UseFilters } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult } from '@nestjs/terminus';
import { Clock } from '@relay/clock';

import { HealthService } from './health.service.js';
import { UnhealthyFilter } from './unhealthy.filter.js';

/** The response of `/api/mte-echo`. */
export interface Echo {
  readonly echo: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The relay's own endpoints: an echo for smoke tests, and the health checks for orchestrators. */
@Controller()
@UseFilters(UnhealthyFilter)
export class HealthController {
  constructor(
    private readonly health: HealthService,
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

  @Get('health/live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.live();
  }

  @Get('health/ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.ready();
  }
}
