import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';
import { closedPort } from './listen.js';

/** Proxies as networks have them on their edge. */
export const EGRESS_PROXIES = ['squid', 'tinyproxy'] as const;
export type EgressProxyName = (typeof EGRESS_PROXIES)[number];

/** The user and password of the proxies that require one. */
export const EGRESS_ACCOUNT = { user: 'relay-a', password: 'canary-of-the-proxy' };

/** A real proxy in a process of its own. */
export interface EgressProxy {
  readonly port: number;
  /** Without credentials. */
  readonly url: string;
  /** Ends it as an accident would, with all its connections. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface Program {
  readonly packages: readonly string[];
  readonly probe: [string, ...string[]];
  command(config: string): readonly [string, ...string[]];
  config(folder: string, port: number, isProtected: boolean): string;
}

const START_LIMIT_MS = 60_000;

const PROGRAMS: Readonly<Record<EgressProxyName, Program>> = {
  squid: {
    packages: ['squid'],
    probe: ['squid', '-v'],
    command: (config) => ['squid', '-N', '-f', config],
    config: (folder, port, isProtected) => `
http_port 127.0.0.1:${port}
pid_filename none
access_log none
cache_log /dev/null
cache deny all
coredump_dir ${folder}
netdb_filename none
pinger_enable off
visible_hostname proxy.example
${
  isProtected
    ? `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users
auth_param basic realm test
acl known proxy_auth REQUIRED
http_access allow known`
    : 'http_access allow localhost'
}
http_access deny all
`,
  },
  tinyproxy: {
    packages: ['tinyproxy-bin'],
    probe: ['tinyproxy', '-v'],
    command: (config) => ['tinyproxy', '-d', '-c', config],
    config: (_folder, port, isProtected) => `
Port ${port}
Listen 127.0.0.1
Timeout 600
MaxClients 200
LogLevel Critical
Allow 127.0.0.1
${isProtected ? `BasicAuth ${EGRESS_ACCOUNT.user} ${EGRESS_ACCOUNT.password}` : ''}
`,
  },
};

/** Whether the proxy is installed; prints a warning if it is not. */
export function hasEgressProxy(name: EgressProxyName): boolean {
  const { packages, probe } = PROGRAMS[name];
  return hasProgram(packages, ...probe);
}

/** @param isProtected - whether clients need `EGRESS_ACCOUNT` */
export async function startEgressProxy(
  name: EgressProxyName,
  isProtected = false,
): Promise<EgressProxy> {
  const folder = await temporaryFolder();
  const port = await closedPort(createServer());
  const config = join(folder.path, 'config');
  await writeFile(config, PROGRAMS[name].config(folder.path, port, isProtected));
  await writeFile(join(folder.path, 'users'), `${EGRESS_ACCOUNT.user}:${passwordHash()}\n`);
  // As root, squid becomes another user.
  await chmod(folder.path, 0o755);
  let child: ChildProcess | undefined;
  const killOnExit = (): void => {
    child?.kill('SIGKILL');
  };
  process.once('exit', killOnExit);
  const start = async (): Promise<void> => {
    const [command, ...args] = PROGRAMS[name].command(config);
    child = spawn(command, args, { stdio: 'ignore' });
    await untilItListens(child, port);
  };
  const kill = async (): Promise<void> => {
    if (child?.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
  };
  const close = async (): Promise<void> => {
    await kill();
    process.off('exit', killOnExit);
    await folder.close();
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { port, url: `http://127.0.0.1:${port}`, kill, restart: start, close };
}

function passwordHash(): string {
  const args = ['passwd', '-apr1', EGRESS_ACCOUNT.password];
  return execFileSync('openssl', args, { encoding: 'utf8' }).trim();
}

async function untilItListens(child: ChildProcess, port: number): Promise<void> {
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  while (!limit.aborted && child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect', { signal: limit });
      return;
    } catch {
      await after(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`the proxy did not start: exit code ${child.exitCode}`);
}
