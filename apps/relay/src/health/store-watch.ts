import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { StoreHealth, type StoreReport } from '@relay/session';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';

/** Logs when the session store becomes available or unavailable, and which of its settings weaken the relay's guarantees. */
@Injectable()
export class StoreWatch implements OnModuleInit {
  constructor(
    @Inject(StoreHealth) private readonly store: StoreHealth,
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
  ) {}

  onModuleInit(): void {
    this.store.watch((report) => {
      this.report(report);
    });
  }

  private report(report: StoreReport): void {
    this.metrics.storeAvailable.set(report.state === 'available' ? 1 : 0);
    if (report.state === 'unavailable') {
      this.log.error('the session store is unavailable', { error: report.error });
      return;
    }
    const { warnings, ...store } = report.description;
    this.log.info('the session store is available', { store });
    for (const warning of warnings) {
      this.log.warn(warning);
    }
  }
}
