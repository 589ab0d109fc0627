import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import type { RedisAddress, RelayConfig } from '@relay/config';
import { Cluster, Redis, type RedisOptions } from 'ioredis';

import { SESSION_SCRIPTS, type SessionCommands } from './redis-scripts.js';

export type RedisClient = (Redis | Cluster) & SessionCommands;

const CONNECT_LIMIT_MS = 2000;
const DISCONNECT_LIMIT_MS = 500;
const SENTINEL_ANSWER_LIMIT_MS = 1000;
const LOADING_RETRY_MS = 500;
const SLOTS_REFRESH_MS = 10_000;
const MAX_REDIRECTIONS = 4;

/**
 * A client that is not connected yet.
 *
 * What ioredis would do about a lost connection on its own is switched off, because a command must go out at most once:
 * a MARK whose answer got lost would answer "replay" the second time, though it was the first. Commands that Redis
 * surely did not run (NOSCRIPT, MOVED, ASK) are the exception.
 *
 * No auto-pipelining: commands are written without waiting for answers anyway, and batching them cost more time here
 * than it saved (test/bench/redis-store.mjs).
 *
 * @param retryDelayMs - asked before each attempt to connect again
 */
export function createRedisClient(
  config: RelayConfig,
  address: RedisAddress,
  retryDelayMs: () => number,
): RedisClient {
  const { topology, hosts, database } = address;
  const connection = connectionOptions(config, address);
  const client = { cluster, sentinel, single }[topology]();
  // The type of a client does not know the commands that `scripts` adds to it.
  return client as Redis & SessionCommands;

  function single(): Redis {
    const [host] = hosts;
    const retry = { retryStrategy: retryDelayMs, enableOfflineQueue: false };
    return new Redis({ ...connection, ...host, ...retry, db: database });
  }

  function sentinel(): Redis {
    const { redisSentinelPassword } = config;
    return new Redis({
      ...connection,
      db: database,
      retryStrategy: retryDelayMs,
      enableOfflineQueue: false,
      sentinels: [...hosts],
      name: address.primaryName,
      sentinelRetryStrategy: retryDelayMs,
      sentinelCommandTimeout: SENTINEL_ANSWER_LIMIT_MS,
      ...(redisSentinelPassword !== undefined && { sentinelPassword: redisSentinelPassword }),
      ...(connection.tls !== undefined && {
        enableTLSForSentinelMode: true,
        sentinelTLS: connection.tls,
      }),
      // Our own does it: redis-failover.ts.
      failoverDetector: false,
    });
  }

  function cluster(): Cluster {
    const nodes = new Cluster([...hosts], {
      redisOptions: connection,
      scripts: SESSION_SCRIPTS,
      lazyConnect: true,
      clusterRetryStrategy: retryDelayMs,
      // A replica may lack marks: scripts run on the primary, protocol.md section 5.
      scaleReads: 'master',
      // Its queue, for nodes that are about to be connected: nothing is asked before the cluster is ready.
      enableOfflineQueue: true,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      maxRedirections: MAX_REDIRECTIONS,
      // 0 is "never again": the node may have run the command before its connection broke.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // A cluster's certificates name hosts; ioredis would ask for their addresses instead.
      dnsLookup: (host, found) => {
        found(null, host);
      },
    });
    // Otherwise the first command of each node would find it not connected.
    nodes.on('+node', (node: Redis) => {
      if (node.options.readOnly !== true) {
        node.connect().catch(() => {
          // The pool drops a node that cannot be reached, and tells why.
        });
      }
    });
    return nodes;
  }
}

function connectionOptions(
  config: RelayConfig,
  address: RedisAddress,
): RedisOptions & { replyMapping: 'legacy' } {
  const { username, password } = address;
  const tls = tlsOptions(config, address);
  return {
    scripts: SESSION_SCRIPTS,
    lazyConnect: true,
    // RESP2 says all that is needed and is understood by everything that speaks Redis.
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: 'mte-relay',
    disableClientInfo: true,
    connectTimeout: CONNECT_LIMIT_MS,
    disconnectTimeout: DISCONNECT_LIMIT_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    // Silence while commands wait: the other side is gone without a word, and TCP would wait for minutes.
    socketTimeout: 2 * config.redisCommandTimeoutMs,
    // These two together: what was sent on a connection that broke is rejected at once and never sent again.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A primary became a replica: look for the new one. `true` connects again without sending again.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
}

/** The certificate is always verified, against the host's name. Undefined where Redis is spoken to in clear. */
export function tlsOptions(
  config: RelayConfig,
  address: RedisAddress,
): ConnectionOptions | undefined {
  if (!address.isTls) {
    return undefined;
  }
  const { redisTlsCaFile, redisTlsCertFile, redisTlsKeyFile } = config;
  const [{ host }] = address.hosts;
  const isOneName = address.topology === 'single' && isIP(host) === 0;
  return {
    rejectUnauthorized: true,
    ...(isOneName && { servername: host }),
    ...(redisTlsCaFile !== undefined && { ca: readFileSync(redisTlsCaFile) }),
    ...(redisTlsCertFile !== undefined && { cert: readFileSync(redisTlsCertFile) }),
    ...(redisTlsKeyFile !== undefined && { key: readFileSync(redisTlsKeyFile) }),
  };
}
