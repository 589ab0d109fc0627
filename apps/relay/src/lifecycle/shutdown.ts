import { setTimeout as delay } from 'node:timers/promises';

import { HttpAdapterHost } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RelayConfig } from '@relay/config';

import { UpgradedConnections } from '../admission/upgraded-connections.js';
import { ChannelReports } from '../channels/channel-reports.js';
import type { Connections } from '../server/connections.js';
import type { RelayAdapter } from '../server/relay-adapter.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { ShutdownState } from './shutdown-state.js';
import { onStopSignals } from './stop-signals.js';

/** How often to look for idle connections that can be closed. */
const IDLE_CHECK_INTERVAL_MS = 100;

/**
 * Ends the process without losing requests: not ready → SHUTDOWN_DELAY_MS → no new connections → wait at most
 * SHUTDOWN_TIMEOUT_MS for pending responses, and for idle connections that another relay may still use → close the connections
 * to peers, upstream and store → exit 0. A second signal ends the process immediately.
 */
export class Shutdown {
  private readonly connections: Connections;
  private readonly log: RelayLog;
  private readonly config: RelayConfig;
  private readonly channels: ChannelReports;
  private readonly upgraded: UpgradedConnections;

  constructor(private readonly app: NestFastifyApplication) {
    this.connections =
      app.get<HttpAdapterHost<RelayAdapter>>(HttpAdapterHost).httpAdapter.connections;
    this.log = app.get(RelayLog);
    this.config = app.get(RelayConfig);
    this.channels = app.get(ChannelReports);
    this.upgraded = app.get(UpgradedConnections);
  }

  /** Shuts down when the process receives a stop signal. */
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
    this.app.get(ShutdownState).begin();
    this.connections.announceEnd();
    await delay(this.config.shutdownDelayMs);
    const idleCheck = setInterval(() => {
      this.connections.closeIdle();
    }, IDLE_CHECK_INTERVAL_MS);
    const limit = setTimeout(() => {
      this.reportCutOff(
        'request',
        this.connections.pendingResponses + this.channels.inboundStreams,
      );
      this.reportCutOff('upgraded connection', this.upgraded.count());
      this.upgraded.resetAll(new Error('this relay is shutting down'));
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

  private reportCutOff(what: string, count: number): void {
    if (count > 0) {
      const all = count === 1 ? `1 ${what} was` : `${count} ${what}s were`;
      this.log.warn(`${all} cut off by SHUTDOWN_TIMEOUT_MS`);
    }
  }
}
