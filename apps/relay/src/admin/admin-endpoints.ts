import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';

import { MonitoringRoutes } from './monitoring-routes.js';
import { PageFiles } from './page-files.js';
import { StatusRoutes } from './status-routes.js';

/** Everything that the admin listener serves. */
@Injectable()
export class AdminEndpoints {
  constructor(
    private readonly monitoring: MonitoringRoutes,
    private readonly status: StatusRoutes,
    private readonly page: PageFiles,
  ) {}

  async addTo(server: FastifyInstance): Promise<void> {
    this.monitoring.addTo(server);
    this.status.addTo(server);
    await this.page.addTo(server);
  }
}
