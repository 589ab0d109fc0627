import { Module } from '@nestjs/common';

import { BufferBudget } from './buffer-budget.js';
import { ConcurrencyLimit, PassThroughLimit } from './concurrency-limit.js';
import { UpgradeLimit, UpgradedConnections } from './upgraded-connections.js';

/** The limits of this process, one of each for all roles. */
@Module({
  providers: [BufferBudget, ConcurrencyLimit, PassThroughLimit, UpgradeLimit, UpgradedConnections],
  exports: [BufferBudget, ConcurrencyLimit, PassThroughLimit, UpgradeLimit, UpgradedConnections],
})
export class AdmissionModule {}
