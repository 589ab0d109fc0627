import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { RelayConfigModule, type RelayConfig } from '@relay/config';

import { AdminModule } from './admin/admin.module.js';
import { ErrorsModule } from './errors/errors.module.js';
import { RelayErrorFilter } from './errors/relay-error.filter.js';
import { HealthModule } from './health/health.module.js';
import { IdentityModule } from './identity/identity.module.js';
import { InboundModule } from './inbound/inbound.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { OutboundModule } from './outbound/outbound.module.js';
import { PairingModule } from './pairing/pairing.module.js';
import { PassThroughModule } from './pass-through/pass-through.module.js';
import { TlsModule } from './tls/tls.module.js';
import { WorkersModule } from './workers/workers.module.js';

/** The composition root: one relay with one configuration. */
@Module({})
export class AppModule {
  static register(config: RelayConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RelayConfigModule.register(config),
        ObservabilityModule,
        WorkersModule,
        IdentityModule,
        ErrorsModule,
        HealthModule,
        AdminModule,
        TlsModule,
        PairingModule,
        OutboundModule,
        InboundModule,
        PassThroughModule,
      ],
      providers: [{ provide: APP_FILTER, useExisting: RelayErrorFilter }],
    };
  }
}
