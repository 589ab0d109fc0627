import { Global, Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { RelayLog } from './relay-log.js';

/** Logging, for every module. */
@Global()
@Module({
  providers: [
    {
      provide: RelayLog,
      inject: [RelayConfig],
      useFactory: (config: RelayConfig) => new RelayLog(config.effectiveLogLevel),
    },
  ],
  exports: [RelayLog],
})
export class ObservabilityModule {}
