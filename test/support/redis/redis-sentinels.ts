import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { closedPort } from '../network/listen.js';
import { tlsArgs, type RedisTls } from './redis-tls.js';

const SENTINELS = 3;
const START_LIMIT_MS = 15_000;
const RETRY_INTERVAL_MS = 100;
/** The sentinels' name for the primary. */
const PRIMARY_NAME = 'main';

/** Three sentinels that watch one primary, with a quorum of two. */
export interface RedisSentinels {
  /** Names all sentinels. */
  readonly url: string;
  /** The port of the primary, according to the sentinels. */
  primaryPort(): Promise<number>;
  /** Makes the sentinels replace a healthy primary by its replica. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

export interface RedisSentinelsOptions {
  /** The password of the sentinels themselves. */
  readonly password?: string;
  /** The ports of the sentinels; free ports by default. */
  readonly ports?: readonly number[];
  /** If set, sentinels serve TLS on the ports given here, and use TLS among themselves and with Redis. */
  readonly tls?: RedisTls & { readonly ports: readonly number[] };
}

/** Free ports, one for each sentinel. */
export function sentinelPorts(): Promise<number[]> {
  return Promise.all(Array.from({ length: SENTINELS }, () => closedPort(createServer())));
}

/** The URL of the primary that sentinels on these ports watch. */
export function sentinelUrl(ports: readonly number[], scheme = 'redis'): string {
  return `${scheme}+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${PRIMARY_NAME}`;
}

/** Starts three real sentinels, and resolves once they know each other and the replica of the primary. */
export async function startRedisSentinels(
  primaryPort: number,
  options: RedisSentinelsOptions = {},
): Promise<RedisSentinels> {
  const dir = await mkdtemp(join(tmpdir(), 'relay-sentinels-'));
  const { password, tls } = options;
  const ports = options.ports ?? (await sentinelPorts());
  const stops = await Promise.all(
    ports.map((port, at) =>
      startSentinel(dir, port, [
        `sentinel monitor ${PRIMARY_NAME} 127.0.0.1 ${primaryPort} 2`,
        `sentinel down-after-milliseconds ${PRIMARY_NAME} 500`,
        `sentinel failover-timeout ${PRIMARY_NAME} 3000`,
        // Sentinels authenticate to each other with the same password.
        ...(password === undefined ? [] : [`requirepass ${password}`]),
        ...(tls === undefined ? [] : tlsLines(tls, tls.ports[at]!)),
      ]),
    ),
  );
  const clients = ports.map((port) => connect(port, password));
  const [client] = clients as [Redis];
  const close = async (): Promise<void> => {
    for (const one of clients) {
      one.disconnect();
    }
    await Promise.all(stops.map((stop) => stop()));
    await rm(dir, { recursive: true });
  };
  try {
    await Promise.all(clients.map(untilComplete));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: tls === undefined ? sentinelUrl(ports) : sentinelUrl(tls.ports, 'rediss'),
    primaryPort: async () => {
      const address = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', PRIMARY_NAME);
      return Number((address as string[])[1]);
    },
    failOver: async () => {
      await client.call('SENTINEL', 'FAILOVER', PRIMARY_NAME);
    },
    close,
  };
}

async function startSentinel(
  dir: string,
  port: number,
  more: readonly string[],
): Promise<() => Promise<void>> {
  const config = join(dir, `${port}.conf`);
  const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...more];
  await writeFile(config, `${lines.join('\n')}\n`);
  const binary = process.env['REDIS_SERVER'] ?? 'redis-server';
  const child = spawn(binary, [config, '--sentinel'], { stdio: 'ignore' });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  child.once('close', () => process.off('exit', killOnExit));
  return async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  };
}

function tlsLines(tls: RedisTls, port: number): string[] {
  const settings = tlsArgs(tls).join(' ').split('--').slice(1);
  return [`tls-port ${port}`, 'tls-replication yes', ...settings];
}

function connect(port: number, password: string | undefined): Redis {
  const client = new Redis(port, '127.0.0.1', {
    protocol: 2,
    replyMapping: 'legacy',
    retryStrategy: () => RETRY_INTERVAL_MS,
    ...(password !== undefined && { password }),
  });
  // ioredis reconnects until the sentinel is up.
  client.on('error', () => undefined);
  return client;
}

async function untilComplete(client: Redis): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const reply = (await client.call('SENTINEL', 'MASTER', PRIMARY_NAME)) as string[];
    const field = (name: string): number => Number(reply[reply.indexOf(name) + 1]);
    if (field('num-other-sentinels') === SENTINELS - 1 && field('num-slaves') === 1) {
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`the sentinels did not find each other within ${START_LIMIT_MS} ms`);
    }
    await delay(RETRY_INTERVAL_MS);
  }
}
