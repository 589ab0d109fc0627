import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { BufferBudget } from './buffer-budget.js';
import { ClientLimits } from './client-limits.js';
import { ConcurrencyLimit, PassThroughLimit } from './concurrency-limit.js';
import { UpgradeLimit, UpgradedConnections } from './upgraded-connections.js';

/** The limits of this process, one of each for all roles. */
@Module({
  imports: [SessionModule],
  providers: [
    BufferBudget,
    ClientLimits,
    ConcurrencyLimit,
    PassThroughLimit,
    UpgradeLimit,
    UpgradedConnections,
  ],
  exports: [
    BufferBudget,
    ClientLimits,
    ConcurrencyLimit,
    PassThroughLimit,
    UpgradeLimit,
    UpgradedConnections,
  ],
})
export class AdmissionModule {}
