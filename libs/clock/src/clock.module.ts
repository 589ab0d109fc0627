import { Global, Module } from '@nestjs/common';

import { Clock, SystemClock } from './clock.js';

/** The machine's clocks, for every module; tests override the provider. */
@Global()
@Module({
  providers: [{ provide: Clock, useClass: SystemClock }],
  exports: [Clock],
})
export class ClockModule {}
