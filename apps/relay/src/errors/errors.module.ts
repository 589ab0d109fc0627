import { Module } from '@nestjs/common';
import { SessionModule } from '@relay/session';

import { RelayErrorFilter } from './relay-error.filter.js';

@Module({
  imports: [SessionModule],
  providers: [RelayErrorFilter],
  exports: [RelayErrorFilter],
})
export class ErrorsModule {}
