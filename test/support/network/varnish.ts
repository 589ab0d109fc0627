import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';
import { closedPort } from './listen.js';

/** A real Varnish in front of one server. It keeps its connections to the server and uses them for any client. */
export interface Varnish {
  readonly url: string;
  close(): Promise<void>;
}

const START_LIMIT_MS = 60_000;

/** Whether Varnish is installed; prints a warning if it is not. */
export const hasVarnish = (): boolean => hasProgram(['varnish'], 'varnishd', '-V');

/** @param backendPort - the loopback port of the server */
export async function startVarnish(backendPort: number): Promise<Varnish> {
  const folder = await temporaryFolder();
  const url = `http://127.0.0.1:${await closedPort(createServer())}`;
  const child = spawn(
    'varnishd',
    [
      ...['-F', '-n', folder.path, '-j', 'none', '-T', 'none', '-s', 'malloc,16m'],
      ...['-a', url.slice('http://'.length), '-b', `127.0.0.1:${backendPort}`],
    ],
    { stdio: 'ignore' },
  );
  // It ends its worker itself.
  const killOnExit = (): boolean => child.kill('SIGTERM');
  process.once('exit', killOnExit);
  const closed = once(child, 'close');
  const close = async (): Promise<void> => {
    killOnExit();
    process.off('exit', killOnExit);
    await closed;
    await folder.close();
  };
  try {
    await untilItResponds(url);
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}

async function untilItResponds(url: string): Promise<void> {
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  while (!limit.aborted) {
    const response = await fetch(url, { signal: limit }).catch(() => undefined);
    await response?.arrayBuffer();
    if (response !== undefined) {
      return;
    }
    await after(100);
  }
  throw new Error('varnish did not start');
}
