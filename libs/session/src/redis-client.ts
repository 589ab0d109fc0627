import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import type { RedisAddress, RelayConfig } from '@relay/config';
import { Cluster, Redis, type RedisOptions } from 'ioredis';

import { SESSION_SCRIPTS, type SessionCommands } from './redis-scripts.js';

/** A client of one server, of the primary behind sentinels, or of a cluster, with the five session scripts as commands. */
export type RedisClient = (Redis | Cluster) & SessionCommands;

const CONNECT_LIMIT_MS = 2000;
const DISCONNECT_LIMIT_MS = 500;
const SENTINEL_REPLY_LIMIT_MS = 1000;
const LOADING_RETRY_MS = 500;
const SLOTS_REFRESH_MS = 10_000;
const MAX_REDIRECTIONS = 4;

/**
 * Creates a client that is not connected yet.
 *
 * Everything that ioredis does by default to recover from a lost connection is switched off, because a command must be
 * sent at most once: if the reply to a MARK were lost and the MARK sent again, the second reply would be "replay"
 * although the message is new. The exceptions are commands that Redis certainly did not run (NOSCRIPT, MOVED, ASK).
 *
 * No auto-pipelining: commands are written without waiting for replies anyway, and batching them cost more time here
 * than it saved (test/bench/redis-store.mjs).
 *
 * @param retryDelayMs - called before each attempt to reconnect; returns the delay in milliseconds
 */
export function createRedisClient(
  config: RelayConfig,
  address: RedisAddress,
  retryDelayMs: () => number,
): RedisClient {
  const { topology, hosts, database } = address;
  const connection = connectionOptions(config, address);
  const client = { cluster, sentinel, single }[topology]();
  // The type of a client lacks the commands that `scripts` adds to it.
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
      sentinelCommandTimeout: SENTINEL_REPLY_LIMIT_MS,
      ...(redisSentinelPassword !== undefined && { sentinelPassword: redisSentinelPassword }),
      ...(connection.tls !== undefined && {
        enableTLSForSentinelMode: true,
        sentinelTLS: connection.tls,
      }),
      // redis-failover.ts does this instead.
      failoverDetector: false,
    });
  }

  function cluster(): Cluster {
    const nodes = new Cluster([...hosts], {
      redisOptions: connection,
      scripts: SESSION_SCRIPTS,
      lazyConnect: true,
      clusterRetryStrategy: retryDelayMs,
      // Scripts run on the primary, because a replica may lack marks. protocol.md section 5.
      scaleReads: 'master',
      // This queue serves only nodes that are still connecting: no command is sent before the cluster is ready.
      enableOfflineQueue: true,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      maxRedirections: MAX_REDIRECTIONS,
      // 0 means "do not retry": the node may have run the command before its connection broke.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // The certificates of a cluster name hosts, but by default ioredis resolves the hosts to addresses.
      dnsLookup: (host, found) => {
        found(null, host);
      },
    });
    // Connects early; otherwise the first command to each node would find the node not connected.
    nodes.on('+node', (node: Redis) => {
      if (node.options.readOnly !== true) {
        node.connect().catch(() => {
          // The connection pool removes an unreachable node and reports the reason.
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
    // RESP2 is sufficient, and every Redis-compatible server supports it.
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: 'mte-relay',
    disableClientInfo: true,
    connectTimeout: CONNECT_LIMIT_MS,
    disconnectTimeout: DISCONNECT_LIMIT_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    // Silence while commands are pending means that the server vanished without closing the connection; TCP alone
    // would wait for minutes.
    socketTimeout: 2 * config.redisCommandTimeoutMs,
    // Together, these two reject a pending command immediately if its connection breaks, and never send it again.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // The primary has become a replica, so find the new primary. `true` reconnects without sending the command again.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
}

/**
 * Returns the TLS options for Redis, or undefined if the connection is in plaintext. The server's certificate is always
 * verified, and so is the host that it names.
 */
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
