import type { LoggerService } from '@nestjs/common';

import type { RelayLog } from './relay-log.js';

/** Writes what Nest logs to the relay's log; its messages at startup become debug lines. */
export class FrameworkLog implements LoggerService {
  constructor(private readonly relayLog: RelayLog) {}

  log(message: unknown): void {
    this.relayLog.debug(String(message));
  }

  debug(message: unknown): void {
    this.relayLog.debug(String(message));
  }

  warn(message: unknown): void {
    this.relayLog.warn(String(message));
  }

  error(message: unknown): void {
    this.relayLog.error(String(message));
  }
}
