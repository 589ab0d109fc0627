import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';
import { closedPort } from './listen.js';

/** A real program that forwards to one port and compresses what comes back. */
export interface Intermediary {
  readonly url: string;
  close(): Promise<void>;
}

/** How a program compresses. */
interface Program {
  readonly command: string;
  readonly packages: readonly string[];
  readonly configuration: (folder: string, port: number, target: number) => string;
  /** The arguments that keep it in the foreground. */
  readonly args: (configuration: string) => readonly string[];
}

const PROGRAMS = {
  'haproxy with compression algo gzip': {
    command: 'haproxy',
    packages: ['haproxy'],
    args: (file) => ['-db', '-f', file],
    configuration: (_folder, port, target) => `
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  compression algo gzip
listen relay
  bind 127.0.0.1:${port}
  server b 127.0.0.1:${target}
`,
  },
  'nginx with gzip for all types': {
    command: 'nginx',
    packages: ['nginx-light'],
    args: (file) => ['-c', file],
    configuration: (folder, port, target) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  gzip on;
  gzip_types *;
  gzip_min_length 1;
  gzip_proxied any;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${target}; proxy_http_version 1.1; }
  }
}
`,
  },
  // Unlike the others it compresses whatever the sender accepts, and whatever the response forbids.
  'apache with force-gzip': {
    command: 'apache2',
    packages: ['apache2'],
    args: (file) => ['-X', '-f', file],
    configuration: (folder, port, target) => `
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
Listen 127.0.0.1:${port}
${['mpm_event', 'authz_core', 'env', 'filter', 'deflate', 'proxy', 'proxy_http']
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
ErrorLog ${folder}/error.log
SetEnv force-gzip 1
SetOutputFilter DEFLATE
ProxyPass / http://127.0.0.1:${target}/
`,
  },
} as const satisfies Readonly<Record<string, Program>>;

/** The programs that {@link startCompressing} can start, by what they are called in titles. */
export type CompressingProgram = keyof typeof PROGRAMS;

/** Whether the program is installed; prints a warning if it is not. */
export function hasCompressing(name: CompressingProgram): boolean {
  const { command, packages } = PROGRAMS[name];
  return hasProgram(packages, command, '-v');
}

export async function startCompressing(
  name: CompressingProgram,
  target: number,
): Promise<Intermediary> {
  const program: Program = PROGRAMS[name];
  const folder = await temporaryFolder();
  const port = await closedPort(createServer());
  const file = join(folder.path, 'configuration');
  await writeFile(file, program.configuration(folder.path, port, target));
  const child = spawn(program.command, program.args(file), { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) {
      throw new Error(`${program.command} did not start\n${log}`);
    }
    await delay(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      process.off('exit', killOnExit);
      await closed;
      await folder.close();
    },
  };
}

/** None of these programs says on its own output that it listens. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
