import { isatty } from 'node:tty';

import type { RelayConfig } from '@relay/config';

import type { RelayLog } from '../telemetry/relay-log.js';
import type { PrimaryLink } from './primary-link.js';

const STANDARD_INPUT = 0;

/**
 * To a service, SIGHUP says that its files have changed. A process without a directory file has none to read again: it says so,
 * where it would otherwise end and lose its requests. At a terminal the signal says that the terminal is gone, and ends it.
 * A worker says nothing: its primary acts on the signal.
 */
export function outliveReloads(
  { relayConfigFile }: Pick<RelayConfig, 'relayConfigFile'>,
  primary: Pick<PrimaryLink, 'isThere'>,
  log: Pick<RelayLog, 'warn'>,
): void {
  if (!primary.isThere && relayConfigFile === undefined && !isatty(STANDARD_INPUT)) {
    process.on('SIGHUP', () => {
      log.warn('told to reload: settings are read only when a process starts');
    });
  }
}
