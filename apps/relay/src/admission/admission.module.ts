import { Module } from '@nestjs/common';

import { BufferBudget } from './buffer-budget.js';
import { ConcurrencyLimit } from './concurrency-limit.js';

/** The limits of this process, one of each for all roles. */
@Module({
  providers: [BufferBudget, ConcurrencyLimit],
  exports: [BufferBudget, ConcurrencyLimit],
})
export class AdmissionModule {}
