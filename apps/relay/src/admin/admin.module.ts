import { Module } from '@nestjs/common';

import { HealthModule } from '../health/health.module.js';
import { StatusModule } from '../status/status.module.js';
import { AdminConnections } from './admin-connections.js';
import { AdminEndpoints } from './admin-endpoints.js';
import { AdminListener } from './admin-listener.js';
import { MonitoringRoutes } from './monitoring-routes.js';
import { PageFiles, PageFolder } from './page-files.js';
import { StatusEvents } from './status-events.js';
import { StatusRoutes } from './status-routes.js';

/** The admin listener. */
@Module({
  imports: [HealthModule, StatusModule],
  providers: [
    AdminConnections,
    AdminEndpoints,
    AdminListener,
    MonitoringRoutes,
    PageFiles,
    PageFolder,
    StatusEvents,
    StatusRoutes,
  ],
})
export class AdminModule {}
