import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';
import { documentedBlock, filledIn } from './documented-blocks.js';
import { closedPort } from './listen.js';

/** A real HTTP intermediary on the path, with the configuration that docs/deployment.md prints for it. */
export interface Intermediary {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** What the programs are, in the order of docs/deployment.md. */
export type Program = 'nginx' | 'HAProxy' | 'Apache' | 'Varnish' | 'Caddy';

interface Installation {
  readonly package: string;
  /** A command that succeeds if the program is installed. */
  readonly check: readonly [string, ...string[]];
  /** Writes the files of the program. @returns the command that runs it in the foreground */
  readonly prepare: (folder: string, fill: Fill) => Promise<readonly [string, ...string[]]>;
}

/** Fills in a block of the document. */
type Fill = (block: string) => string;

const START_LIMIT_MS = 60_000;
const POLL_MS = 20;
/** Apache lets its connections go on for ten seconds, which no test is about. */
const STOP_LIMIT_MS = 500;

const INSTALLATIONS: Readonly<Record<Program, Installation>> = {
  nginx: {
    package: 'nginx-light',
    check: ['nginx', '-v'],
    prepare: (folder, fill) => nginxWith(folder, fill(documentedBlock('nginx', 'nginx'))),
  },
  HAProxy: {
    package: 'haproxy',
    check: ['haproxy', '-v'],
    prepare: async (folder, fill) => [
      'haproxy',
      '-db',
      '-f',
      await written(folder, 'haproxy.cfg', fill(documentedBlock('HAProxy', 'haproxy'))),
    ],
  },
  Apache: {
    package: 'apache2',
    check: ['apache2', '-v'],
    prepare: async (folder, fill) => {
      const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'reqtimeout', 'env'].map(
        (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      );
      // Only root may and must run it as another user.
      const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : '';
      const config = await written(
        folder,
        'apache.conf',
        `ServerRoot ${folder}\nDefaultRuntimeDir ${folder}\nPidFile ${folder}/pid\nServerName relays
        ErrorLog ${folder}/error.log\n${user}\n${modules.join('\n')}\n${fill(documentedBlock('Apache', 'apache'))}`,
      );
      return ['apache2', '-D', 'FOREGROUND', '-f', config];
    },
  },
  Varnish: {
    package: 'varnish',
    check: ['varnishd', '-V'],
    prepare: async (folder, fill) => {
      const vcl = await written(folder, 'relay.vcl', fill(documentedBlock('Varnish', 'vcl')));
      const [command = '', ...options] = fill(documentedBlock('Varnish', 'sh'))
        .replaceAll('\\\n', ' ')
        .replace('/etc/varnish/relay.vcl', vcl)
        .trim()
        .split(/\s+/);
      // The options of Debian's service come from its unit; these let it run in a folder of its own.
      return [command, ...options, '-F', '-j', 'none', '-n', join(folder, 'varnish')];
    },
  },
  Caddy: {
    package: 'caddy',
    check: ['caddy', 'version'],
    prepare: async (folder, fill) => {
      // To Caddy an address before the port is the Host of the requests that it serves.
      const config = fill(documentedBlock('Caddy', 'caddyfile')).replace(
        /^http:\/\/(127\.0\.0\.1)(:\d+) \{\n/m,
        'http://$2 {\n  bind $1\n',
      );
      return caddyWith(folder, config);
    },
  },
};

/** The programs whose block says how everything is passed on. */
export const PROGRAMS = ['nginx', 'HAProxy', 'Apache', 'Varnish'] as const satisfies Program[];

/** The programs whose block says how channels are passed on. */
export const CHANNEL_PROGRAMS = [...PROGRAMS, 'Caddy'] as const satisfies Program[];

/** Whether the program is installed; prints a warning if it is not. */
export function hasIntermediary(program: Program): boolean {
  const installation = INSTALLATIONS[program];
  return hasProgram([installation.package], ...installation.check);
}

/**
 * Starts a program with its block of docs/deployment.md.
 *
 * @param next - the loopback port that it forwards to
 * @param adjust - changes the block before it is used, for a test of what a setting does
 */
export async function startIntermediary(
  program: Program,
  next: number,
  adjust: (block: string) => string = (block) => block,
): Promise<Intermediary> {
  return start(program, (folder, port) =>
    INSTALLATIONS[program].prepare(folder, (block) => filledIn(adjust(block), port, next)),
  );
}

/** Where a sidecar stands. */
export interface SidecarPlace {
  /** The port of the outbound relay. */
  readonly relayPort: number;
  readonly token: string;
  /** The origin of the inbound relay. */
  readonly peer: string;
  /** The origin of the page that may use it. */
  readonly page: string;
}

/** Starts nginx as the sidecar for browsers that docs/configuration.md prints. */
export async function startSidecar(place: SidecarPlace): Promise<Intermediary> {
  const block = documentedBlock('Browsers', 'nginx', 'configuration.md')
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${place.relayPort}`)
    .replace('YOUR_SECURE_OUTBOUND_ACCESS_TOKEN', place.token)
    .replace('https://relay-b.example.com', place.peer)
    .replace('https://app.example.com', place.page);
  return start('nginx', (folder, port) =>
    nginxWith(folder, block.replaceAll('127.0.0.1:8000', `127.0.0.1:${port}`)),
  );
}

/** Starts nginx with what belongs in `http`, and makes it listen on this port. */
export const startNginx = (block: string, port: number): Promise<Intermediary> =>
  start('nginx', (folder) => nginxWith(folder, block), port);

/** Starts Caddy with a Caddyfile that makes it listen on this port. */
export const startCaddy = (caddyfile: string, port: number): Promise<Intermediary> =>
  start('Caddy', (folder) => caddyWith(folder, caddyfile), port);

/** @param prepare - writes the files of the program, and returns the command that runs it on this port */
async function start(
  program: Program,
  prepare: (folder: string, port: number) => Promise<readonly [string, ...string[]]>,
  listensOn?: number,
): Promise<Intermediary> {
  const folder = await temporaryFolder();
  const port = listensOn ?? (await closedPort(createServer()));
  const [command, ...options] = await prepare(folder.path, port);
  const child = spawn(command, options, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  // On SIGTERM each of them ends its own child processes too.
  const endOnExit = (): boolean => child.kill('SIGTERM');
  process.once('exit', endOnExit);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  while (!(await accepts(port))) {
    if (child.exitCode !== null || limit.aborted) {
      child.kill('SIGTERM');
      throw new Error(`${program} did not start\n${output}`);
    }
    await pause(POLL_MS);
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      child.kill('SIGTERM');
      process.off('exit', endOnExit);
      const limit = setTimeout(() => {
        killGroup(child);
      }, STOP_LIMIT_MS);
      await closed;
      clearTimeout(limit);
      await folder.close();
    },
  };
}

/** Ends a program, which leads a process group, and its child processes. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** @param block - what belongs in `http` */
async function nginxWith(folder: string, block: string): Promise<readonly [string, ...string[]]> {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const config = await written(
    folder,
    'nginx.conf',
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
    events { worker_connections 256; }
    http { access_log off; ${paths.join(' ')}
    ${block} }`,
  );
  return ['nginx', '-c', config, '-p', folder, '-e', 'stderr'];
}

async function caddyWith(
  folder: string,
  caddyfile: string,
): Promise<readonly [string, ...string[]]> {
  const config = await written(folder, 'Caddyfile', caddyfile);
  return ['caddy', 'run', '--adapter', 'caddyfile', '--config', config];
}

async function written(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
