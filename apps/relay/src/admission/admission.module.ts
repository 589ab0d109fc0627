import { Module } from '@nestjs/common';

import { BufferBudget } from './buffer-budget.js';
import { ConcurrencyLimit, PassThroughLimit } from './concurrency-limit.js';

/** The limits of this process, one of each for all roles. */
@Module({
  providers: [BufferBudget, ConcurrencyLimit, PassThroughLimit],
  exports: [BufferBudget, ConcurrencyLimit, PassThroughLimit],
})
export class AdmissionModule {}
