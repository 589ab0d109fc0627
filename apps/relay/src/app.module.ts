import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ClockModule } from '@relay/clock';
import { RelayConfigModule, type RelayConfig } from '@relay/config';

import { AdminModule } from './admin/admin.module.js';
import { ErrorsModule } from './errors/errors.module.js';
import { RelayErrorFilter } from './errors/relay-error.filter.js';
import { HealthModule } from './health/health.module.js';
import { DirectoryModule } from './directory/directory.module.js';
import { InboundModule } from './inbound/inbound.module.js';
import { OutboundModule } from './outbound/outbound.module.js';
import { PairingModule } from './pairing/pairing.module.js';
import { ServerModule } from './server/server.module.js';
import { ListenersModule } from './listeners/listeners.module.js';
import { LifecycleModule } from './lifecycle/lifecycle.module.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { PassThroughModule } from './pass-through/pass-through.module.js';

/** The composition root: one relay with one configuration. */
@Module({})
export class AppModule {
  /** Wires a relay that uses this configuration. */
  static register(config: RelayConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RelayConfigModule.register(config),
        ClockModule,
        TelemetryModule,
        LifecycleModule,
        DirectoryModule,
        ErrorsModule,
        HealthModule,
        AdminModule,
        ServerModule,
        PairingModule,
        OutboundModule,
        ListenersModule,
        InboundModule,
        PassThroughModule,
      ],
      providers: [{ provide: APP_FILTER, useExisting: RelayErrorFilter }],
    };
  }
}
