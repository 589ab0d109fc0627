import type { ConnectionOptions } from 'node:tls';

import type { RedisAddress } from '@relay/config';
import { Redis } from 'ioredis';

const CHANNEL = '+switch-master';
const RETRY_MS = 5000;

/** Callbacks for what happens at the sentinels. */
export interface SentinelEvents {
  /** The sentinels have replaced the primary. Called once for every sentinel that reports it. */
  onSwitch(): void;
  /** The connection to one of the sentinels failed; it is retried. */
  onError(error: unknown): void;
}

/** How to connect to the sentinels; their password is not that of the Redis servers. */
export interface SentinelAccess {
  readonly password: string | undefined;
  readonly tls: ConnectionOptions | undefined;
}

/**
 * Subscribes to the sentinels and reports when they have replaced the primary. The old primary continues as if nothing
 * had happened until the sentinels have reconfigured it too, which may take 10 s. A replica of this relay that stayed
 * connected to it would not find the sessions that the other replicas create, and they would not find its sessions.
 *
 * ioredis has a similar feature (`failoverDetector`), but it writes to the console whenever a sentinel is unreachable,
 * and it mistakes the failover of any primary for that of its own.
 *
 * @returns a function that ends the subscriptions
 */
export function watchFailover(
  { hosts, primaryName }: RedisAddress,
  { password, tls }: SentinelAccess,
  events: SentinelEvents,
): () => void {
  const sentinels = hosts.map((host) => {
    const sentinel = new Redis({
      ...host,
      protocol: 2,
      replyMapping: 'legacy',
      connectionName: 'mte-relay',
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      retryStrategy: () => RETRY_MS,
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls }),
    });
    sentinel.on('error', (error) => {
      events.onError(error);
    });
    sentinel.on('message', (_channel, message) => {
      // The message is the primary's name, followed by its old and its new address.
      if (message.split(' ')[0] === primaryName) {
        events.onSwitch();
      }
    });
    sentinel.subscribe(CHANNEL).catch(() => {
      // Rejected if the connection is ended before the subscription began.
    });
    return sentinel;
  });
  return () => {
    for (const sentinel of sentinels) {
      sentinel.disconnect();
    }
  };
}
