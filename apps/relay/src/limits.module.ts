import { Module } from '@nestjs/common';
import { HoldBudget } from '@relay/http';

import { ConcurrentRequests } from './concurrent-requests.js';

/** One of each for all roles: they bound what the process takes on. */
@Module({
  providers: [{ provide: HoldBudget, useFactory: () => new HoldBudget() }, ConcurrentRequests],
  exports: [HoldBudget, ConcurrentRequests],
})
export class LimitsModule {}
