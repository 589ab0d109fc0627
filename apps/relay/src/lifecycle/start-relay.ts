import { describeConfig, type LoadedConfig } from '@relay/config';
import { KeyRing } from '@relay/protocol';

import { createRelayApp } from './app.factory.js';
import { logLastError } from './observability/last-error.js';
import { RelayLog } from './observability/relay-log.js';
import { Shutdown } from './shutdown/shutdown.js';
import { PrimaryLink } from './workers/primary-link.js';

/** Runs a relay in this process: the only one of its configuration, or one of several workers. */
export async function startRelay({ config, warnings }: LoadedConfig): Promise<void> {
  const app = await createRelayApp(config);
  const log = app.get(RelayLog);
  const primary = app.get(PrimaryLink);
  // The primary says them once for all of its workers.
  for (const warning of primary.isThere ? [] : warnings) {
    log.warn(warning);
  }
  logLastError(log);
  new Shutdown(app).onSignals();
  await app.listen(config.port, config.host);
  log.info('relay is listening', {
    address: await app.getUrl(),
    keyId: app.get(KeyRing).current.kid,
    config: describeConfig(config),
  });
  primary.tellListening();
}
