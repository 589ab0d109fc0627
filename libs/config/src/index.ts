/**
 * The configuration of a relay process, read from environment variables, `.env` and secret files. This library promises
 * that a configuration is either valid and deeply frozen or refused with all problems together, that no problem,
 * warning or description shows a secret, and that no other code of the relay reads the environment.
 * docs/configuration.md.
 */
export { ConfigInvalidError } from './config.errors.js';
export { describeConfig } from './describe-config.js';
export {
  OF_ENVIRONMENT,
  shownName,
  type ClientEntry,
  type ClientLimits,
  type ClientToken,
  type Directory,
  type Grant,
  type ListenAt,
  type PeerEntry,
  type PeerListenEntry,
  type PeerReach,
  type TenantEntry,
  type UpstreamTls,
} from './directory/directory.js';
export { shownListenAt } from './directory/shown-listen-at.js';
export { directoryChanges } from './directory/directory-changes.js';
export type { LoadedDirectory } from './directory/read-directory.js';
export { ENVIRONMENT_VARIABLES, type RelayConfigProperty } from './environment-variables.js';
export {
  type HealthAddress,
  loadConfig,
  loadConfigWith,
  type LoadedConfig,
  loadHealthAddress,
  reloadDirectory,
} from './load-config.js';
export { logFormatFor } from './log-format.js';
export { type LogLevel, RelayConfig } from './relay-config.js';
export { RelayConfigModule } from './relay-config.module.js';
export { tryKeyPair } from './rules/key-pair.js';
export type { RedisAddress, RedisHost } from './rules/redis-url.js';
export { DOCUMENTED_PLACEHOLDERS } from './rules/secrets.js';
