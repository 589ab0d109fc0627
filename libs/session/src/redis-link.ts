import type { RedisAddress, RelayConfig } from '@relay/config';

import { createRedisClient, tlsOptions, type RedisClient } from './redis-client.js';
import { watchFailover } from './redis-failover.js';
import { redisFailure } from './redis-failure.js';
import { SessionStoreUnavailableError } from './session.errors.js';

/** Beyond it a Redis that has stopped answering would fill our memory. */
const MAX_COMMANDS_IN_FLIGHT = 1000;
const FIRST_RETRY_MS = 25;
const LONGEST_RETRY_MS = 1000;
/** What ioredis says after the reason has been told. */
const SAYS_NO_MORE = 'Connection is closed';

/** What becomes of the connection. */
export interface LinkEvents {
  onReady(): void;
  /** May come again and again during one outage. */
  onLost(failure: Error): void;
}

/**
 * The connection to Redis: one that comes back on its own for ever, and that answers within a time limit or fails.
 * Nothing waits here for a connection, since a caller is better served by a quick 503 than by a slow one.
 */
export class RedisLink {
  private readonly client: RedisClient;
  private readonly limitMs: number;
  private events: LinkEvents | undefined;
  /** Counts up to the next success, which a mere connection is not: it may lead to a replica. */
  private attempts = 0;
  private inFlight = 0;
  private lastFailure: Error | undefined;
  private isClosed = false;
  private revival: NodeJS.Timeout | undefined;
  private stopWatching: (() => void) | undefined;

  /** Reads the files that the configuration names, and throws where they are gone since. */
  constructor(
    private readonly config: RelayConfig,
    private readonly address: RedisAddress,
  ) {
    this.limitMs = config.redisCommandTimeoutMs;
    this.client = createRedisClient(config, address, () => this.nextRetryMs());
  }

  /** Begins to connect, and returns before anything came of it. */
  open(events: LinkEvents): void {
    this.events = events;
    this.client.on('ready', () => {
      this.lastFailure = undefined;
      this.events?.onReady();
    });
    this.client.on('error', (error: unknown) => {
      this.note(error);
      if (isRefusalOfDatabase(error)) {
        this.client.disconnect(true);
      }
      // Of a connection that is there, `close` tells when it ends.
      if (!this.isReady) {
        this.lost();
      }
    });
    // A cluster tells of its nodes in an event of its own, which is no failure of the whole.
    this.client.on('node error', (error: unknown) => {
      this.note(error);
    });
    this.client.on('close', () => {
      this.lost();
    });
    this.client.on('end', () => {
      this.revive();
    });
    if (this.address.topology === 'sentinel') {
      this.watchSentinels();
    }
    this.connect();
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Tells that Redis does what it is for, so that the next outage begins with short delays again. */
  proved(): void {
    this.attempts = 0;
  }

  /**
   * The answer to what `send` sends.
   *
   * @throws SessionStoreUnavailableError; whether Redis has run the command, or will, is then unknown
   */
  async call<Reply>(
    send: (client: RedisClient) => Promise<Reply>,
    limitMs: number = this.limitMs,
  ): Promise<Reply> {
    if (!this.isReady) {
      throw new SessionStoreUnavailableError('redis is not connected', { cause: this.lastFailure });
    }
    if (this.inFlight >= MAX_COMMANDS_IN_FLIGHT) {
      throw new SessionStoreUnavailableError(
        `redis owes ${MAX_COMMANDS_IN_FLIGHT} answers already`,
      );
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // A reply that has come while this process was busy is read first: timers go before sockets.
        setImmediate(() => {
          reject(new SessionStoreUnavailableError(`redis did not answer within ${limitMs} ms`));
        });
      }, limitMs);
      this.inFlight += 1;
      void send(this.client)
        .then(resolve, (error: unknown) => {
          reject(new SessionStoreUnavailableError('redis failed', { cause: redisFailure(error) }));
        })
        .finally(() => {
          // Only here: a command whose caller has given up still occupies the connection.
          this.inFlight -= 1;
          clearTimeout(timer);
        });
    });
  }

  /** Ends the connection for good; commands in flight are rejected. */
  close(): void {
    this.isClosed = true;
    this.events = undefined;
    clearTimeout(this.revival);
    this.stopWatching?.();
    this.client.disconnect();
  }

  private connect(): void {
    this.client.connect().catch(() => {
      // Every failure comes as an event too, and is told from there.
    });
  }

  private watchSentinels(): void {
    const password = this.config.redisSentinelPassword;
    const tls = tlsOptions(this.config, this.address);
    this.stopWatching = watchFailover(
      this.address,
      { password, tls },
      {
        onSwitch: () => {
          this.leave();
        },
        onError: (error) => {
          // While there is a primary, one sentinel more or less is no news.
          if (!this.isReady) {
            this.note(error);
          }
        },
      },
    );
  }

  private note(error: unknown): void {
    const failure = redisFailure(error);
    if (this.lastFailure === undefined || !failure.message.includes(SAYS_NO_MORE)) {
      this.lastFailure = failure;
    }
  }

  private lost(): void {
    this.events?.onLost(this.lastFailure ?? new Error('redis closed the connection'));
  }

  /** Commands in flight may still be answered; what is asked from now on fails until the new primary is found. */
  private leave(): void {
    if (this.isReady) {
      this.client.disconnect(true);
    }
  }

  /** ioredis gives up where a connection is ended while it is being made, as during a failover. */
  private revive(): void {
    if (!this.isClosed) {
      clearTimeout(this.revival);
      this.revival = setTimeout(() => {
        this.connect();
      }, this.nextRetryMs());
    }
  }

  private nextRetryMs(): number {
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.attempts, LONGEST_RETRY_MS);
    this.attempts += 1;
    // Jitter: the replicas that lost Redis together do not all come back in the same instant.
    return Math.round(delayMs * (0.5 + Math.random() / 2));
  }
}

/** ioredis would go on in database 0, where other replicas and other applications may be. */
function isRefusalOfDatabase(error: unknown): boolean {
  const { command } = error as { readonly command?: { readonly name: string } };
  return command?.name === 'select';
}
