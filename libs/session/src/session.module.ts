import { Module } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';

import { MemorySessionStore } from './memory-session-store.js';
import { RedisLink } from './redis-link.js';
import { RedisSessionStore } from './redis-session-store.js';
import { SessionStore } from './session-store.js';
import { SessionService } from './session.service.js';
import { StoreHealth } from './store-health.js';

/** MTE session management: the store that REDIS_URL names, and the sessions in it. */
@Module({
  providers: [
    {
      provide: SessionStore,
      inject: [Clock, RelayConfig],
      useFactory: (clock: Clock, config: RelayConfig): SessionStore & StoreHealth => {
        const { redisAddress, redisPrefix } = config;
        const lifetimeMs = config.sessionLifetimeSeconds * 1000;
        return redisAddress === undefined
          ? new MemorySessionStore(clock, lifetimeMs)
          : new RedisSessionStore(new RedisLink(config, redisAddress), redisPrefix, lifetimeMs);
      },
    },
    { provide: StoreHealth, useExisting: SessionStore },
    SessionService,
  ],
  exports: [SessionService, SessionStore, StoreHealth],
})
export class SessionModule {}
