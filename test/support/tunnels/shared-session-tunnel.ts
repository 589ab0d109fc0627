import type { Redis } from 'ioredis';

import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import { startManInTheMiddle, type ManInTheMiddle } from '../attackers/man-in-the-middle.js';
import { startRedisServer, type RedisServer } from '../redis/redis-server.js';
import { TOKEN, startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { connectRedis } from '../redis/session-store.js';
import { startUpstream, type Upstream } from '../upstreams/upstream.js';

/** A tunnel with two inbound relays that share their sessions in a Redis, and with an attacker on the path. */
export interface SharedSessionTunnel {
  readonly upstream: Upstream;
  readonly outbound: TestRelay;
  /** The attacker's path leads to the first of the two. */
  readonly inbound: readonly [TestRelay, TestRelay];
  readonly attacker: ManInTheMiddle;
  readonly server: RedisServer;
  /** An operator's connection to Redis. */
  readonly redis: Redis;
  /** Starts Redis again at the same address, from its files. */
  restoreRedis(): Promise<void>;
  send(spec?: ClientRequestSpec): Promise<ClientResponse>;
  close(): Promise<void>;
}

export async function startSharedSessionTunnel(
  ofInbound: RelayEnvironment = {},
): Promise<SharedSessionTunnel> {
  const [upstream, server] = await Promise.all([startUpstream(), startRedisServer()]);
  const environment = { UPSTREAM: upstream.url, REDIS_URL: server.url, ...ofInbound };
  const [first, second, outbound] = await Promise.all([
    startRelay(environment),
    startRelay(environment),
    startRelay(),
  ]);
  const attacker = await startManInTheMiddle(first.url);
  const redis = connectRedis(server.url);
  const servers = [server];
  const clientHeaders = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': attacker.url };
  return {
    upstream,
    outbound,
    inbound: [first, second],
    attacker,
    server,
    redis,
    restoreRedis: async () => {
      const { port, dir } = server;
      servers.push(await startRedisServer({ port, dir }));
    },
    send: (spec = {}) =>
      request(outbound.url, { ...spec, headers: { ...clientHeaders, ...spec.headers } }),
    close: async () => {
      await Promise.all([outbound.close(), first.close(), second.close(), attacker.close()]);
      await Promise.all([upstream.close(), redis.close()]);
      // The newest first: the files belong to the oldest.
      for (const each of servers.reverse()) {
        await each.stop();
      }
    },
  };
}
