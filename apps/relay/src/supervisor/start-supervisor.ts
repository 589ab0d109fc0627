import cluster from 'node:cluster';

import { ConfigInvalidError, type LoadedConfig } from '@relay/config';

import { logLastError } from '../telemetry/last-error.js';
import { standardOutput } from '../telemetry/line-output.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { onStopSignals } from '../lifecycle/stop-signals.js';
import { WORKER_MARK } from '../lifecycle/our-worker.js';
import { Supervisor } from './supervisor.js';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkerProcess } from './worker-process.js';

/** A worker that ended so has said why, on the standard error that all share. */
const SAID_WHY = 1;

/**
 * Runs the primary process of several workers.
 *
 * @throws where the first of them does not start, or this process cannot have any
 */
export async function startSupervisor({ config, warnings }: LoadedConfig): Promise<void> {
  if (cluster.isWorker) {
    throw new ConfigInvalidError([
      'WORKERS must come to 1 where another program runs the relay in a cluster, as PM2 does',
    ]);
  }
  const log = RelayLog.ofProcess(config);
  logLastError(log);
  for (const warning of warnings) {
    log.warn(warning);
  }
  cluster.setupPrimary({ args: [WORKER_MARK], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const metrics = new WorkerMetrics(log);
  // What the primary goes by stays what it was at its start, also where a file says otherwise since.
  const fixed = {
    WORKERS: config.workers,
    SHUTDOWN_DELAY_MS: config.shutdownDelayMs,
    SHUTDOWN_TIMEOUT_MS: config.shutdownTimeoutMs,
  };
  const supervisor = new Supervisor(config, log, () => {
    const worker = new WorkerProcess(cluster.fork(fixed), standardOutput());
    metrics.add(worker);
    return worker;
  });
  let exitCode = 0;
  onStopSignals(
    () => {
      log.info('stopping: so are the workers');
      void supervisor.stop().then((isInTime) => {
        log.info('all workers have stopped');
        process.exit(isInTime ? exitCode : 1);
      });
    },
    () => {
      log.warn('told to stop again: ending immediately');
      exitCode = 1;
      supervisor.endAtOnce();
    },
  );
  process.on('SIGHUP', () => {
    supervisor.renew();
  });
  const end = await supervisor.start();
  if (end?.exitCode === SAID_WHY) {
    process.exit(SAID_WHY);
  }
  if (end !== undefined) {
    throw new Error(`the first worker ended with ${end.signal ?? end.exitCode ?? 'an error'}`);
  }
}
