import type { LoggerService } from '@nestjs/common';

import type { RelayLog } from './relay-log.js';

/** Lets Nest write to the relay's log: its start-up chatter as debug lines. */
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
