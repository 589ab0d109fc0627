import { Global, Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { StoreMeter } from '@relay/session';

import { AdmissionModule } from '../admission/admission.module.js';
import { loadTracer } from '../traces/load-tracer.js';
import { Traces } from '../traces/traces.js';
import { AdmissionMetrics } from './admission-metrics.js';
import { ExportReports } from './export-reports.js';
import { RelayLog } from './relay-log.js';
import { RelayMetrics } from './relay-metrics.js';
import { RequestReports } from './request-reports.js';
import { UpgradedReports } from './upgraded-reports.js';

/** The log and the metrics, available to every module. */
@Global()
@Module({
  imports: [AdmissionModule],
  providers: [
    {
      provide: RelayLog,
      inject: [RelayConfig],
      useFactory: (config: RelayConfig) => RelayLog.ofProcess(config),
    },
    AdmissionMetrics,
    RelayMetrics,
    {
      provide: Traces,
      inject: [RelayConfig, RelayLog, RelayMetrics],
      useFactory: async (config: RelayConfig, log: RelayLog, metrics: RelayMetrics) =>
        new Traces(
          await loadTracer(config, () => new ExportReports(log, metrics)),
          config.shutdownTimeoutMs,
        ),
    },
    RequestReports,
    UpgradedReports,
    { provide: StoreMeter, useExisting: RelayMetrics },
  ],
  exports: [RelayLog, RelayMetrics, Traces, RequestReports, UpgradedReports, StoreMeter],
})
export class TelemetryModule {}
