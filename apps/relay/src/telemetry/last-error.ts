import type { RelayLog } from './relay-log.js';

/** Logs the error if an uncaught exception ends the process. */
export function logLastError(log: RelayLog): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    log.fatal('the process ends because of an internal error', { error });
  });
}
