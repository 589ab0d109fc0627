import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { closedPort } from '../network/listen.js';

const START_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 10_000;
const START_ATTEMPTS = 5;

export interface RedisServerOptions {
  /** The port to listen on, for a server that is started again; a free port by default. */
  readonly port?: number;
  /** The directory for its files, which `stop()` then leaves in place; a new temporary directory by default. */
  readonly dir?: string;
  /** More settings, as on the command line: `['--appendonly', 'yes']`. They override the defaults here. */
  readonly args?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  readonly dir: string;
  /** Ends the server with SIGTERM and removes its temporary directory. May follow `kill()`. */
  stop(): Promise<void>;
  /** Ends the server like a power cut and keeps its directory, so that another server can start from it. */
  kill(): Promise<void>;
}

/**
 * Starts a real redis-server on the loopback interface, without persistence, and resolves once it replies to PING.
 * `REDIS_SERVER` names another binary. The server is killed when this process exits normally.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'relay-redis-')));
  const removeOwnDir = async (): Promise<void> => {
    if (options.dir === undefined) {
      await rm(dir, { recursive: true, force: true });
    }
  };
  const { port, pid, child } = await launch(dir, options).catch(async (error: unknown) => {
    await removeOwnDir();
    throw error;
  });

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(child)) {
      return;
    }
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(STOP_LIMIT_MS) });
    child.kill(signal);
    await ended;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid,
    dir,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      await removeOwnDir();
    },
  };
}

/** A free port may be taken before Redis binds it; then another port is tried. */
async function launch(
  dir: string,
  { port: wantedPort, args = [] }: RedisServerOptions,
): Promise<{ port: number; pid: number; child: ChildProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wantedPort ?? (await closedPort(createServer()));
    const child = spawnRedis(port, dir, args);
    try {
      await readiness(child);
      await ping(port);
      const { pid } = child;
      if (pid === undefined) {
        throw new Error('redis-server has no process id');
      }
      return { port, pid, child };
    } catch (error) {
      child.kill('SIGKILL');
      if (wantedPort !== undefined || attempt === START_ATTEMPTS) {
        throw error;
      }
    }
  }
}

function spawnRedis(port: number, dir: string, args: readonly string[]): ChildProcess {
  const child = spawn(
    process.env['REDIS_SERVER'] ?? 'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
      ...['--save', '', '--appendonly', 'no', '--loglevel', 'notice', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  child.once('close', () => process.off('exit', killOnExit));
  return child;
}

/** Resolves when Redis logs that it accepts connections; rejects with the log if it does not. */
async function readiness(child: ChildProcess): Promise<void> {
  let log = '';
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const ready = new Promise<void>((onReady, onFailure) => {
    resolve = onReady;
    reject = onFailure;
  });
  const fail = (why: string): void => {
    reject(new Error(`redis-server ${why}\n${log}`));
  };
  const timer = setTimeout(fail, START_LIMIT_MS, `was not ready within ${START_LIMIT_MS} ms`);
  const readLog = (text: string): void => {
    log += text;
    if (log.includes('Ready to accept connections')) {
      resolve();
    }
  };
  child.once('error', (error) => {
    fail(`did not start: ${error.message}`);
  });
  child.once('close', (exitCode) => {
    fail(`ended with ${exitCode ?? 'a signal'}`);
  });
  child.stdout?.setEncoding('utf8').on('data', readLog);
  try {
    await ready;
  } finally {
    clearTimeout(timer);
    // The rest of the log is discarded, so that Redis never blocks on a full pipe.
    child.stdout?.off('data', readLog).resume();
  }
}

/** Resolves when the server on this port replies to PING over a plain socket. */
async function ping(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  try {
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data', {
      signal: AbortSignal.timeout(START_LIMIT_MS),
    })) as [string];
    if (!reply.startsWith('+PONG')) {
      throw new Error(`redis-server replied to PING with ${reply}`);
    }
  } finally {
    socket.destroy();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
