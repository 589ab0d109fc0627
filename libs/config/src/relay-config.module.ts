import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { RelayConfig } from './relay-config.js';

/** Makes a loaded configuration injectable everywhere as `RelayConfig`. */
@Module({})
export class RelayConfigModule {
  /** Takes the configuration as it is: what gets injected is the very instance given here. */
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
