export { ConfigInvalidError } from './config.errors.js';
export { describeConfig } from './describe-config.js';
export { ENVIRONMENT_VARIABLES, type RelayConfigProperty } from './environment-variables.js';
export { loadConfig, type LoadedConfig } from './load-config.js';
export { type LogLevel, RelayConfig } from './relay-config.js';
export { RelayConfigModule } from './relay-config.module.js';
export type { RedisAddress, RedisHost } from './rules/redis-url.js';
export { DOCUMENTED_PLACEHOLDERS } from './rules/secrets.js';
