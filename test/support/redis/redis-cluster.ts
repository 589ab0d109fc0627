import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { listen } from '../network/listen.js';
import { startRedisServer, type RedisServer } from './redis-server.js';
import { tlsArgs, type RedisTls } from './redis-tls.js';

const run = promisify(execFile);
/** Redis nodes communicate on a second port, which is higher by this offset. */
const BUS_OFFSET = 10_000;
/** Below the system's ephemeral ports, with the second ports included. */
const [FIRST_PORT, PORTS] = [12_000, 10_000];
const PORT_ATTEMPTS = 20;
const NODES = 3;
const NODE_TIMEOUT_MS = 1000;
const START_LIMIT_MS = 15_000;
const RETRY_INTERVAL_MS = 50;

const nodeArgs = (isWhole: boolean): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
  ...['--cluster-require-full-coverage', isWhole ? 'yes' : 'no'],
];

/** A cluster of three primaries without replicas. */
export interface RedisCluster {
  /** Names all nodes. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** Starts a killed node again. */
  restart(node: RedisServer): Promise<void>;
  close(): Promise<void>;
}

export interface RedisClusterOptions {
  /** Whether all nodes fail if one is missing, as Redis does by default. */
  readonly isWhole?: boolean;
  /** The ports of the nodes; free ports by default. */
  readonly ports?: readonly number[];
  /** If set, nodes and clients use TLS, on other ports than those in `nodes`. */
  readonly tls?: RedisTls;
}

/** Starts three nodes, joins them to a cluster, and resolves once all of them serve. */
export async function startRedisCluster({
  isWhole = true,
  ports = [],
  tls,
}: RedisClusterOptions = {}): Promise<RedisCluster> {
  const args = nodeArgs(isWhole);
  const nodes: RedisServer[] = [];
  const servedAt: number[] = [];
  const restarted: RedisServer[] = [];
  const startNode = async (wanted: number | undefined): Promise<void> => {
    const port = wanted ?? (await nodePort());
    const tlsPort = await nodePort();
    const more = ['--tls-port', String(tlsPort), '--tls-cluster', 'yes'];
    const overTls = tls === undefined ? [] : [...more, ...tlsArgs(tls)];
    nodes.push(await startRedisServer({ port, args: [...args, ...overTls] }));
    servedAt.push(tls === undefined ? port : tlsPort);
  };
  const close = async (): Promise<void> => {
    await Promise.all(restarted.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let at = 0; at < NODES; at += 1) {
      await startNode(ports[at]);
    }
    const addresses = servedAt.map((port) => `127.0.0.1:${port}`);
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

/** Runs one command with redis-cli on the node with this port. @returns its output */
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

/** A port that is currently free, together with its second port. */
async function nodePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    try {
      for (const one of [port, port + BUS_OFFSET]) {
        const listening = await listen(createServer(), one);
        await listening.close();
      }
      return port;
    } catch (error) {
      if (attempt === PORT_ATTEMPTS) {
        throw error;
      }
    }
  }
}
