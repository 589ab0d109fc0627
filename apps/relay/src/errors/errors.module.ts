import { Module } from '@nestjs/common';

import { RelayErrorFilter } from './relay-error.filter.js';

/** How errors of all roles become responses. */
@Module({
  providers: [RelayErrorFilter],
  exports: [RelayErrorFilter],
})
export class ErrorsModule {}
