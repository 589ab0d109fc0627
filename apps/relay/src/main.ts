import 'reflect-metadata';

import { ConfigInvalidError, loadConfig, logFormatFor } from '@relay/config';

import { isOurWorker } from './lifecycle/our-worker.js';

// What this process makes is for its user alone, such as the socket of a listener before it has its mode.
process.umask(0o077);

try {
  const loaded = loadConfig();
  // Workers write to a pipe, whose lines the supervising process writes as it does its own.
  if (!isOurWorker && logFormatFor(loaded.config, process.stdout) === 'pretty') {
    const { prettifyStandardOutput } = await import('./telemetry/pretty-output.js');
    prettifyStandardOutput();
  }
  // Only one of the two is loaded: a supervising process needs none of the relay's code.
  if (loaded.config.workers > 1 && !isOurWorker) {
    const { startSupervisor } = await import('./supervisor/start-supervisor.js');
    await startSupervisor(loaded);
  } else {
    const [{ createRelayApp }, { runRelay }] = await Promise.all([
      import('./app.factory.js'),
      import('./lifecycle/run-relay.js'),
    ]);
    await runRelay(await createRelayApp(loaded.config), loaded);
  }
} catch (error) {
  const lines =
    error instanceof ConfigInvalidError ? error.problems : [`cannot start: ${String(error)}`];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
