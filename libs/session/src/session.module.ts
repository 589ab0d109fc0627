import { Module } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { Clock, SystemClock } from './clock.js';
import { MemorySessionStore } from './memory-session-store.js';
import { SessionStore } from './session-store.js';
import { SessionService } from './session.service.js';

/** MTE session management: the store that REDIS_URL names, and the sessions in it. */
@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    {
      provide: SessionStore,
      inject: [Clock, RelayConfig],
      useFactory: (clock: Clock, config: RelayConfig): SessionStore =>
        new MemorySessionStore(clock, config.sessionLifetimeSeconds * 1000),
    },
    SessionService,
  ],
  exports: [Clock, SessionService, SessionStore],
})
export class SessionModule {}
