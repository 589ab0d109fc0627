import 'reflect-metadata';

import { ConfigInvalidError, loadConfig } from '@relay/config';

import { isOurWorker } from './workers/our-worker.js';

try {
  const loaded = loadConfig();
  // One or the other is loaded: a process that supervises needs nothing of a relay.
  if (loaded.config.workers > 1 && !isOurWorker) {
    const { startSupervisor } = await import('./workers/start-supervisor.js');
    await startSupervisor(loaded);
  } else {
    const { startRelay } = await import('./start-relay.js');
    await startRelay(loaded);
  }
} catch (error) {
  const lines =
    error instanceof ConfigInvalidError ? error.problems : [`cannot start: ${String(error)}`];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
