import { Module, type DynamicModule } from '@nestjs/common';
import { Audiences, StoreMeter } from '@relay/session';

@Module({})
class SessionSurroundings {}

/** What SessionModule takes from the rest of a relay: every audience is accepted, and nothing is measured. */
export const SESSION_SURROUNDINGS: DynamicModule = {
  module: SessionSurroundings,
  global: true,
  providers: [
    { provide: Audiences, useValue: { accepts: () => true } },
    { provide: StoreMeter, useValue: { observe: () => undefined } },
  ],
  exports: [Audiences, StoreMeter],
};
