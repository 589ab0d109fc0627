import { Injectable } from '@nestjs/common';
import { RelayConfig, describeConfig } from '@relay/config';
import type { RelayFacts } from '@relay/status';

import { ConcurrencyLimit, PassThroughLimit } from '../admission/concurrency-limit.js';
import { UpgradedConnections } from '../admission/upgraded-connections.js';
import { DirectoryWatch } from '../directory/directory-watch.js';
import { DirectoryService } from '../directory/directory.service.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { relayVersion } from './relay-version.js';

/** When this process started: milliseconds since 1970. */
export const STARTED_AT_MS = Math.round(performance.timeOrigin);

/** What is true of this process, whoever sends requests. */
@Injectable()
export class ProcessFacts {
  private readonly version = relayVersion(import.meta.url);
  private readonly described: Readonly<Record<string, unknown>>;

  constructor(
    private readonly config: RelayConfig,
    private readonly directory: DirectoryService,
    private readonly watch: DirectoryWatch,
    private readonly metrics: RelayMetrics,
    private readonly concurrency: ConcurrencyLimit,
    private readonly passThrough: PassThroughLimit,
    private readonly upgraded: UpgradedConnections,
  ) {
    this.described = describeConfig(config);
  }

  async all(): Promise<RelayFacts> {
    const { clients, tenants } = this.directory.current.entries;
    return {
      version: this.version,
      nodeVersion: process.version,
      roles: [
        ...(clients.length === 0 ? [] : (['outbound'] as const)),
        ...(tenants.length === 0 ? [] : (['inbound'] as const)),
      ],
      startedAtMs: STARTED_AT_MS,
      workers: 1,
      config: this.described,
      directory: this.config.relayConfigFile === undefined ? 'none' : this.watch.state,
      certificateEndsAtMs: await this.certificateEndsAtMs(),
      underWay: this.concurrency.inUse + this.passThrough.inUse + this.upgraded.count(),
    };
  }

  /** As the metric has it, which is 0 where the listener speaks plain HTTP. */
  private async certificateEndsAtMs(): Promise<number | undefined> {
    const { values } = await this.metrics.certificateNotAfter.get();
    const seconds = values[0]?.value ?? 0;
    return seconds === 0 ? undefined : seconds * 1_000;
  }
}
