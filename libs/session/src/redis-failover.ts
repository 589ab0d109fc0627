import type { ConnectionOptions } from 'node:tls';

import type { RedisAddress } from '@relay/config';
import { Redis } from 'ioredis';

const CHANNEL = '+switch-master';
const RETRY_MS = 5000;

/** What the sentinels tell, and what is wrong with one of them. */
export interface SentinelEvents {
  onSwitch(): void;
  onError(error: unknown): void;
}

export interface SentinelAccess {
  readonly password: string | undefined;
  readonly tls: ConnectionOptions | undefined;
}

/**
 * Listens to the sentinels, and tells when they have replaced the primary. Until they have told the old one too, which
 * may take 10 s, it goes on as if nothing had happened: a replica of ours that stayed with it would find no session
 * that the others make, and they none of its own.
 *
 * ioredis has the like (`failoverDetector`). That one writes to the console whenever a sentinel is away, and takes the
 * failover of any primary for that of its own.
 *
 * @returns ends the listening
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
      // Name, then the old address and the new one.
      if (message.split(' ')[0] === primaryName) {
        events.onSwitch();
      }
    });
    sentinel.subscribe(CHANNEL).catch(() => {
      // Rejected when the listening ends before it began.
    });
    return sentinel;
  });
  return () => {
    for (const sentinel of sentinels) {
      sentinel.disconnect();
    }
  };
}
