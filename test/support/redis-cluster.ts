import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { closedPort } from './listen.js';
import { startRedisServer, type RedisServer } from './redis-server.js';
import { tlsArgs, type RedisTls } from './redis-tls.js';

const run = promisify(execFile);
/** Nodes talk among themselves on a second port, this much higher. */
const BUS_OFFSET = 10_000;
const NODE_TIMEOUT_MS = 1000;
const START_LIMIT_MS = 15_000;
const RETRY_INTERVAL_MS = 50;

const nodeArgs = (isWhole: boolean): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
  ...['--cluster-require-full-coverage', isWhole ? 'yes' : 'no'],
];

/** A cluster of three primaries without replicas. */
export interface RedisCluster {
  /** Names all of them. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** Starts a node again that was killed. */
  restart(node: RedisServer): Promise<void>;
  close(): Promise<void>;
}

export interface RedisClusterOptions {
  /** Whether all fail where one is missing, which is what Redis does unless told otherwise. */
  readonly isWhole?: boolean;
  /** Where the nodes listen; free ports otherwise. */
  readonly ports?: readonly number[];
  /** Where set, nodes and clients talk over TLS, on ports besides those of `nodes`. */
  readonly tls?: RedisTls;
}

/** Starts three nodes, joins them, and resolves when all of them serve. */
export async function startRedisCluster({
  isWhole = true,
  ports = [],
  tls,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const args = nodeArgs(isWhole);
  const started = await Promise.all(
    [0, 1, 2].map(async (at) => {
      const port = ports[at] ?? (await nodePort());
      if (tls === undefined) return { node: await startRedisServer({ port, args }), port };
      const tlsPort = await nodePort();
      const more = ['--tls-port', String(tlsPort), '--tls-cluster', 'yes', ...tlsArgs(tls)];
      const node = await startRedisServer({ port, args: [...args, ...more] });
      return { node, port: tlsPort };
    }),
  );
  const nodes = started.map(({ node }) => node);
  const restarted: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(restarted.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const addresses = started.map(({ port }) => `127.0.0.1:${port}`);
    const overTls = tls === undefined ? [] : ['--tls', '--cacert', tls.ca];
    await run('redis-cli', [...overTls, '--cluster', 'create', ...addresses, '--cluster-yes']);
    await Promise.all(nodes.map(untilServing));
    return {
      url: `redis${tls === undefined ? '' : 's'}+cluster://${addresses.join(',')}`,
      nodes,
      restart: async ({ port, dir }) => {
        restarted.push(await startRedisServer({ port, dir, args }));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs one command on the node with this port, as an operator does, and gives what it prints. */
export async function redisCli(port: number, ...command: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...command]);
  return stdout.trim();
}

async function untilServing({ port }: RedisServer): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await redisCli(port, 'CLUSTER', 'INFO')).startsWith('cluster_state:ok')) {
    if (Date.now() > deadline) {
      throw new Error(`the cluster did not serve within ${START_LIMIT_MS} ms`);
    }
    await delay(RETRY_INTERVAL_MS);
  }
}

async function nodePort(): Promise<number> {
  for (;;) {
    const port = await closedPort(createServer());
    if (port + BUS_OFFSET <= 65_535) return port;
  }
}
