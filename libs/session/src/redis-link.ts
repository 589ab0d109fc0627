import type { RedisAddress, RelayConfig } from '@relay/config';

import { createRedisClient, tlsOptions, type RedisClient } from './redis-client.js';
import { watchFailover } from './redis-failover.js';
import { redisFailure } from './redis-failure.js';
import type { RedisScript } from './redis-scripts.js';
import { SessionStoreUnavailableError } from './session.errors.js';

/** Without this limit, a Redis that has stopped replying would fill the memory of this process. */
const MAX_COMMANDS_IN_FLIGHT = 1000;
const FIRST_RETRY_MS = 25;
const LONGEST_RETRY_MS = 1000;
/** ioredis emits errors with this message after the error that gives the reason. */
const CLOSED_WITHOUT_REASON = 'Connection is closed';

type DefinedCommands = Readonly<
  Record<string, (this: unknown, ...args: readonly string[]) => Promise<unknown>>
>;

/** Callbacks for changes of the connection. */
export interface LinkEvents {
  /** The connection is ready for commands. */
  onReady(): void;
  /** The connection was lost, or could not be made. May be called many times during one outage. */
  onLost(failure: Error): void;
}

/**
 * The connection to Redis. It reconnects until it is closed, and every call returns a reply within a time limit or
 * fails. No call waits for a connection: a fast 503 serves a client better than a slow one.
 */
export class RedisLink {
  private readonly client: RedisClient;
  private readonly limitMs: number;
  private events: LinkEvents | undefined;
  /** Attempts since the last success. A mere connection is not a success: it may lead to a replica. */
  private attempts = 0;
  private inFlight = 0;
  private lastFailure: Error | undefined;
  private isClosed = false;
  private revival: NodeJS.Timeout | undefined;
  private stopWatching: (() => void) | undefined;

  /** Reads the TLS files that the configuration names, and throws if one of them can no longer be read. */
  constructor(
    private readonly config: RelayConfig,
    private readonly address: RedisAddress,
  ) {
    this.limitMs = config.redisCommandTimeoutMs;
    this.client = createRedisClient(config, address, () => this.nextRetryMs());
  }

  /** Starts to connect, and returns without waiting for the outcome. */
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
      // While there is a connection, `close` reports its end.
      if (!this.isReady) {
        this.lost();
      }
    });
    // A cluster reports the errors of its nodes in a separate event; they are not failures of the whole cluster.
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

  /** Whether commands can be sent at this moment. */
  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Records that Redis has proved usable: the next outage begins with short delays again. */
  proved(): void {
    this.attempts = 0;
  }

  /**
   * Sends a command and returns its reply.
   *
   * @param limitMs - how long to wait for the reply, in milliseconds
   * @throws SessionStoreUnavailableError if there is no connection, if too many commands are in flight, or if Redis
   * fails or does not reply in time; in the last two cases it is unknown whether Redis has run the command, or will
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
        `redis has not replied to ${MAX_COMMANDS_IN_FLIGHT} commands yet`,
      );
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        // Node runs timers before it reads sockets: a reply that arrived while this process was busy is read first.
        setImmediate(() => {
          reject(new SessionStoreUnavailableError(`redis did not reply within ${limitMs} ms`));
        });
      }, limitMs);
      this.inFlight += 1;
      void send(this.client)
        .then(resolve, (error: unknown) => {
          reject(new SessionStoreUnavailableError('redis failed', { cause: redisFailure(error) }));
        })
        .finally(() => {
          // Not when the time is up: a command whose caller has given up still occupies the connection.
          this.inFlight -= 1;
          clearTimeout(timer);
        });
    });
  }

  /** Makes a script known by a name. */
  define(name: string, script: RedisScript): void {
    this.client.defineCommand(name, script);
  }

  /** Runs a script that was defined, as `call` sends a command. */
  run(name: string, args: readonly string[]): Promise<unknown> {
    return this.call((client) => {
      // The type of a client lacks the commands that `defineCommand` adds to it.
      const command = (client as unknown as DefinedCommands)[name];
      if (command === undefined) {
        throw new Error(`the script ${name} was not defined`);
      }
      return command.call(client, ...args);
    });
  }

  /** Closes the connection permanently, and rejects the commands in flight. */
  close(): void {
    this.isClosed = true;
    this.events = undefined;
    clearTimeout(this.revival);
    this.stopWatching?.();
    this.client.disconnect();
  }

  private connect(): void {
    this.client.connect().catch(() => {
      // Every failure is also emitted as an event, and is reported from there.
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
          // While there is a connection to the primary, the failure of a sentinel is of no interest.
          if (!this.isReady) {
            this.note(error);
          }
        },
      },
    );
  }

  private note(error: unknown): void {
    const failure = redisFailure(error);
    if (this.lastFailure === undefined || !failure.message.includes(CLOSED_WITHOUT_REASON)) {
      this.lastFailure = failure;
    }
  }

  private lost(): void {
    this.events?.onLost(this.lastFailure ?? new Error('redis closed the connection'));
  }

  /** Commands in flight may still get their replies; new ones fail until the new primary is found. */
  private leave(): void {
    if (this.isReady) {
      this.client.disconnect(true);
    }
  }

  /** ioredis gives up if a connection ends while it is being established, as happens during a failover. */
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
    // Jitter: replicas that lost Redis together do not all reconnect at the same moment.
    return Math.round(delayMs * (0.5 + Math.random() / 2));
  }
}

/** After a refused SELECT, ioredis would continue in database 0, which other relays and applications may use. */
function isRefusalOfDatabase(error: unknown): boolean {
  const { command } = error as { readonly command?: { readonly name: string } };
  return command?.name === 'select';
}
