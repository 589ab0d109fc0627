import type { RedisLink } from './redis-link.js';
import type { RedisScript } from './redis-scripts.js';
import { SessionStoreUnavailableError } from './session.errors.js';

/** A small part of the commands that may be in flight: those of sessions must never wait for others. */
const MAX_COMMANDS_IN_FLIGHT = 200;

/** The Redis that keeps the sessions, for what replicas share besides them. */
export class SharedRedis {
  private inFlight = 0;

  /** @param link - undefined without a Redis */
  constructor(private readonly link: RedisLink | undefined) {}

  /** Whether REDIS_URL names a Redis, reachable or not. */
  get isConfigured(): boolean {
    return this.link !== undefined;
  }

  /** Makes a script known by a name, under which `run` runs it. */
  define(name: string, script: RedisScript): void {
    this.link?.define(name, script);
  }

  /**
   * Runs a script that was defined, and returns its reply.
   *
   * @throws SessionStoreUnavailableError as an operation on a session: immediately without a connection, and after
   * REDIS_COMMAND_TIMEOUT_MS without a reply
   */
  async run(name: string, args: readonly string[]): Promise<unknown> {
    if (this.link === undefined || this.inFlight >= MAX_COMMANDS_IN_FLIGHT) {
      throw new SessionStoreUnavailableError(
        `redis has not replied to ${this.inFlight} scripts yet, or there is none`,
      );
    }
    this.inFlight += 1;
    try {
      return await this.link.run(name, args);
    } finally {
      this.inFlight -= 1;
    }
  }
}
