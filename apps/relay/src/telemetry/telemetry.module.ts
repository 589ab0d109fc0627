import { Global, Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { StoreMeter } from '@relay/session';

import { RelayLog } from './relay-log.js';
import { RelayMetrics } from './relay-metrics.js';
import { RequestReports } from './request-reports.js';

/** Logs and metrics, for every module. */
@Global()
@Module({
  providers: [
    {
      provide: RelayLog,
      inject: [RelayConfig],
      useFactory: (config: RelayConfig) => RelayLog.ofProcess(config),
    },
    RelayMetrics,
    RequestReports,
    { provide: StoreMeter, useExisting: RelayMetrics },
  ],
  exports: [RelayLog, RelayMetrics, RequestReports, StoreMeter],
})
export class ObservabilityModule {}
