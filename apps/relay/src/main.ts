import 'reflect-metadata';

import { ConfigInvalidError, describeConfig, loadConfig } from '@relay/config';
import { KeyRing } from '@relay/protocol';

import { createRelayApp } from './app.factory.js';
import { Shutdown } from './shutdown/shutdown.js';
import { RelayLog } from './observability/relay-log.js';

try {
  const { config, warnings } = loadConfig();
  const app = await createRelayApp(config);
  const log = app.get(RelayLog);
  for (const warning of warnings) {
    log.warn(warning);
  }
  process.on('uncaughtExceptionMonitor', (error) => {
    log.fatal('the process ends by an error of its own', { error });
  });
  new Shutdown(app).onSignals();
  await app.listen(config.port, config.host);
  log.info('relay is listening', {
    address: await app.getUrl(),
    keyId: app.get(KeyRing).current.kid,
    config: describeConfig(config),
  });
} catch (error) {
  const lines =
    error instanceof ConfigInvalidError ? error.problems : [`cannot start: ${String(error)}`];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
