import { setTimeout as delay } from 'node:timers/promises';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RelayConfig } from '@relay/config';

import { RelayLog } from '../telemetry/relay-log.js';
import { Connections } from './connections.js';
import { ShutdownState } from './shutdown-state.js';
import { onStopSignals } from './stop-signals.js';

/** How often it is looked for connections that may be closed. */
const IDLE_CHECK_INTERVAL_MS = 100;

/**
 * Ends the process without losing what is under way: not ready any more → SHUTDOWN_DELAY_MS → no new connections →
 * requests in flight and idle connections that another relay may still use, at most SHUTDOWN_TIMEOUT_MS → connections to
 * peers, upstream and store → exit 0. A second signal ends it at once.
 */
export class Shutdown {
  private readonly connections: Connections;
  private readonly log: RelayLog;
  private readonly config: RelayConfig;

  constructor(private readonly app: NestFastifyApplication) {
    this.connections = new Connections(app.getHttpServer());
    this.log = app.get(RelayLog);
    this.config = app.get(RelayConfig);
  }

  /** Listens to the signals by which processes are told to stop. */
  onSignals(): void {
    onStopSignals(
      () => void this.run(),
      () => {
        this.log.warn('told to stop again: ending immediately');
        process.exit(1);
      },
    );
  }

  private async run(): Promise<void> {
    this.log.info('stopping: finishing requests in progress');
    this.app.get(ShutdownState).isShuttingDown = true;
    this.connections.announceEnd();
    await delay(this.config.shutdownDelayMs);
    const idleCheck = setInterval(() => {
      this.connections.closeIdle();
    }, IDLE_CHECK_INTERVAL_MS);
    const limit = setTimeout(() => {
      const { owed } = this.connections;
      if (owed > 0) {
        this.log.warn(`${owed} requests were cut off by SHUTDOWN_TIMEOUT_MS`);
      }
      this.connections.closeAll();
    }, this.config.shutdownTimeoutMs);
    try {
      await this.app.close();
      this.log.info('stopped');
    } catch (error) {
      this.log.error('stopped with an error', { error });
    }
    clearInterval(idleCheck);
    clearTimeout(limit);
    process.exit(0);
  }
}
