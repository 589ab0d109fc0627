import { Injectable, type OnModuleInit } from '@nestjs/common';

import { BufferBudget } from '../admission/buffer-budget.js';
import { ConcurrencyLimit, PassThroughLimit } from '../admission/concurrency-limit.js';
import { UpgradeLimit, UpgradedConnections } from '../admission/upgraded-connections.js';
import { RelayMetrics } from './relay-metrics.js';

/** Publishes how much of the limits of this process is in use. */
@Injectable()
export class AdmissionMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: RelayMetrics,
    private readonly concurrency: ConcurrencyLimit,
    private readonly passThrough: PassThroughLimit,
    private readonly bufferBudget: BufferBudget,
    private readonly upgrades: UpgradeLimit,
    private readonly upgraded: UpgradedConnections,
  ) {}

  onModuleInit(): void {
    this.metrics.concurrentRequests.observe(() => this.concurrency.inUse);
    this.metrics.passThroughRequests.observe(() => this.passThrough.inUse);
    for (const role of ['outbound', 'inbound', 'pass-through'] as const) {
      this.metrics.upgradedConnections.observe(() => this.upgraded.count(role), role);
    }
    this.metrics.upgradedConnectionsLimit.observe(() => this.upgrades.limit);
    this.metrics.bufferedBytes.observe(() => this.bufferBudget.bufferedBytes, 'mte');
  }
}
