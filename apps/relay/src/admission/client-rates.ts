import type { SharedRedis } from '@relay/session';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

import { ClientLimitedError } from './admission.errors.js';

const WINDOW_SECONDS = 1;
/** The name under which `RateLimiterRedis` calls its script. */
const SCRIPT = 'rlflxIncr';

/** How one client is counted, with the limit that it has at this moment. */
interface CountedClient {
  readonly perSecond: number;
  readonly limiter: RateLimiterRedis | RateLimiterMemory;
}

/**
 * Counts the requests of each client in windows of one second, each of which begins with a request. The replicas of a relay count
 * together in the Redis that they share; a process that cannot reach it counts alone, and no request fails for that.
 */
export class ClientRates {
  private readonly counted = new Map<string, CountedClient>();

  /**
   * @param redis - shared by all replicas
   * @param redisPrefix - what every key in Redis begins with
   * @param onCounted - called for each request that was to be counted in Redis, with the reason if it was counted here instead
   */
  constructor(
    private readonly redis: SharedRedis,
    private readonly redisPrefix: string,
    private readonly onCounted: (failure?: Error) => void,
  ) {}

  /**
   * Counts a request. It waits for Redis, at most REDIS_COMMAND_TIMEOUT_MS, unless the client is known to have used up its window.
   *
   * @throws ClientLimitedError if the client has used up its window
   */
  async count(name: string, perSecond: number): Promise<void> {
    try {
      await this.limiterOf(name, perSecond).consume(name);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) {
        throw new ClientLimitedError(
          `the client may send ${perSecond} requests per second`,
          Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)),
        );
      }
      throw refusal;
    }
  }

  /** Forgets all other clients. */
  retain(names: ReadonlySet<string>): void {
    for (const name of this.counted.keys()) {
      if (!names.has(name)) {
        this.counted.delete(name);
      }
    }
  }

  private limiterOf(name: string, perSecond: number): CountedClient['limiter'] {
    const known = this.counted.get(name);
    if (known?.perSecond === perSecond) {
      return known.limiter;
    }
    const limiter = this.createLimiter(perSecond);
    this.counted.set(name, { perSecond, limiter });
    return limiter;
  }

  private createLimiter(points: number): CountedClient['limiter'] {
    const options = { points, duration: WINDOW_SECONDS };
    const local = new RateLimiterMemory(options);
    if (!this.redis.isConfigured) {
      return local;
    }
    return new RateLimiterRedis({
      ...options,
      keyPrefix: `${this.redisPrefix}c`,
      storeClient: this.storeClient(),
      insuranceLimiter: local,
      // A flood beyond the limit is refused without asking Redis again.
      inMemoryBlockOnConsumed: points,
    });
  }

  /** What `RateLimiterRedis` uses of a client of ioredis. */
  private storeClient(): unknown {
    return {
      defineCommand: this.redis.define.bind(this.redis),
      [SCRIPT]: async (args: readonly string[]): Promise<unknown> => {
        try {
          const reply = await this.redis.run(SCRIPT, args);
          this.onCounted();
          return reply;
        } catch (error) {
          this.onCounted(error as Error);
          throw error;
        }
      },
    };
  }
}
