import { Module } from '@nestjs/common';
import { HoldBudget } from '@relay/http';

/** One budget for both roles: it bounds the memory of the process. */
@Module({
  providers: [{ provide: HoldBudget, useFactory: () => new HoldBudget() }],
  exports: [HoldBudget],
})
export class HoldModule {}
