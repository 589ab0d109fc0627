import { Module } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';

import { MemorySessionStore } from './memory-session-store.js';
import { RedisLink } from './redis-link.js';
import { RedisSessionStore } from './redis-session-store.js';
import { SessionStore } from './session-store.js';
import { SessionService } from './session.service.js';
import { SharedRedis } from './shared-redis.js';
import { StoreHealth } from './store-health.js';

/** MTE session management: the store that REDIS_URL names, and the sessions in it. */
@Module({
  providers: [
    {
      provide: RedisLink,
      inject: [RelayConfig],
      useFactory: (config: RelayConfig): RedisLink | undefined =>
        config.redisAddress === undefined ? undefined : new RedisLink(config, config.redisAddress),
    },
    {
      provide: SessionStore,
      inject: [Clock, RelayConfig, RedisLink],
      useFactory: (
        clock: Clock,
        { redisPrefix, sessionLifetimeSeconds }: RelayConfig,
        link: RedisLink | undefined,
      ): SessionStore & StoreHealth => {
        const lifetimeMs = sessionLifetimeSeconds * 1000;
        return link === undefined
          ? new MemorySessionStore(clock, lifetimeMs)
          : new RedisSessionStore(link, redisPrefix, lifetimeMs);
      },
    },
    {
      provide: SharedRedis,
      inject: [RedisLink],
      useFactory: (link: RedisLink | undefined) => new SharedRedis(link),
    },
    { provide: StoreHealth, useExisting: SessionStore },
    SessionService,
  ],
  exports: [SessionService, SessionStore, SharedRedis, StoreHealth],
})
export class SessionModule {}
