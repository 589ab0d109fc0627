import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { RelayConfig } from './relay-config.js';

/** Makes a loaded configuration injectable everywhere as `RelayConfig`. */
@Module({})
export class RelayConfigModule {
  /** @param config - injected as it is, not copied */
  static register(config: RelayConfig): DynamicModule {
    const factory = registerAs('relay', () => config);
    return {
      module: RelayConfigModule,
      global: true,
      imports: [ConfigModule.forFeature(factory)],
      providers: [{ provide: RelayConfig, useExisting: factory.KEY }],
      exports: [RelayConfig],
    };
  }
}
