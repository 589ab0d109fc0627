import { Module } from '@nestjs/common';
import { HoldBudget } from '@relay/http';

import { ConcurrentRequests } from './concurrent-requests.js';
import { RelayMetrics } from './observability/relay-metrics.js';

/** One of each for all roles: they bound what the process takes on. */
@Module({
  providers: [
    {
      provide: HoldBudget,
      inject: [RelayMetrics],
      useFactory: (metrics: RelayMetrics) => {
        const budget = new HoldBudget();
        metrics.heldBytes.answerFor('mte', () => budget.heldBytes);
        return budget;
      },
    },
    ConcurrentRequests,
  ],
  exports: [HoldBudget, ConcurrentRequests],
})
export class LimitsModule {}
