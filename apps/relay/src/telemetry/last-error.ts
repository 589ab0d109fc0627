import type { RelayLog } from './relay-log.js';

/** Has the log say why, where a mistake of our own ends the process. */
export function logLastError(log: RelayLog): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    log.fatal('the process ends because of an internal error', { error });
  });
}
