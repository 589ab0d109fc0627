import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { ConfigInvalidError, type LoadedConfig } from '@relay/config';

import { removeStaleSocket } from '../listeners/unix-socket.js';
import { logLastError } from '../telemetry/last-error.js';
import { standardOutput } from '../telemetry/line-output.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { onStopSignals } from '../lifecycle/stop-signals.js';
import { WORKER_MARK } from '../lifecycle/our-worker.js';
import { Supervisor } from './supervisor.js';
import { HistoryTotals, ReportTotals } from './status-totals.js';
import { MetricTotals } from './metric-totals.js';
import { WorkerParts } from './worker-parts.js';
import { WorkerProcess } from './worker-process.js';

/** A worker that ends with this code has already written the reason to standard error, which all processes share. */
const EXIT_CODE_REASON_LOGGED = 1;
const CLIENT_ID_BYTES = 16;

/**
 * Runs the primary process, which supervises several workers.
 *
 * @throws Error if the first worker does not start, or if this process cannot have workers
 */
export async function startSupervisor({ config, warnings }: LoadedConfig): Promise<void> {
  if (cluster.isWorker) {
    throw new ConfigInvalidError([
      'WORKERS must come to 1 if another program runs the relay in a cluster, as PM2 does',
    ]);
  }
  const log = RelayLog.ofProcess(config);
  logLastError(log);
  for (const warning of warnings) {
    log.warn(warning);
  }
  // Before there are workers, of which each might take the socket of another for a stale one.
  for (const { listen } of config.directory.peers) {
    // The first worker says what is wrong with its place.
    await removeStaleSocket(listen?.at).catch(() => undefined);
  }
  cluster.setupPrimary({
    // Not the script that this process was started with, which may take no such argument: see bin/main.js.
    exec: fileURLToPath(new URL('../main.js', import.meta.url)),
    args: [WORKER_MARK],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const parts = [
    new WorkerParts('metrics', new MetricTotals(log), log),
    new WorkerParts('report', new ReportTotals(), log),
    new WorkerParts('history', new HistoryTotals(Date.now()), log),
  ];
  // The primary keeps using the values from its start, so new workers must have them too, even if a file has changed since.
  const fixed = {
    WORKERS: config.workers,
    SHUTDOWN_DELAY_MS: config.shutdownDelayMs,
    SHUTDOWN_TIMEOUT_MS: config.shutdownTimeoutMs,
    // By one name, each worker recognises what any of them has sent, and refuses it if the path turns it around.
    CLIENT_ID: config.clientId ?? randomBytes(CLIENT_ID_BYTES).toString('base64url'),
  };
  const supervisor = new Supervisor(config, log, () => {
    const worker = new WorkerProcess(cluster.fork(fixed), standardOutput());
    for (const part of parts) {
      part.add(worker);
    }
    return worker;
  });
  let exitCode = 0;
  onStopSignals(
    () => {
      log.info('stopping: stopping the workers first');
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
  if (end?.exitCode === EXIT_CODE_REASON_LOGGED) {
    process.exit(EXIT_CODE_REASON_LOGGED);
  }
  if (end !== undefined) {
    throw new Error(`the first worker ended with ${end.signal ?? end.exitCode ?? 'an error'}`);
  }
}
