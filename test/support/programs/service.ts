import { once } from 'node:events';
import { connect } from 'node:net';

import type { TemporaryFolder } from '../lifecycle/temporary-folder.js';
import { startProgram } from './program.js';

/** A server program that a test runs. */
export interface Service {
  readonly port: number;
  readonly url: string;
  /** What it has written so far. */
  log(): string;
  close(): Promise<void>;
}

export interface ServiceOptions {
  /** Its files, which are removed when it is closed. */
  readonly folder: TemporaryFolder;
  /** The free port that the program was told to listen on. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
}

const START_LIMIT_MS = 60_000;
const ATTEMPT_INTERVAL_MS = 50;

/** Starts a server program, and resolves once it listens: programs have no common way of saying so. */
export async function startService(
  command: string,
  args: readonly string[],
  { folder, port, env = {} }: ServiceOptions,
): Promise<Service> {
  const child = startProgram(command, args, { cwd: folder.path, env });
  let log = '';
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      await folder.close();
      throw new Error(`${command} ${args.join(' ')} does not listen\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_INTERVAL_MS));
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    close: async () => {
      if (child.exitCode === null) {
        const closed = once(child, 'close');
        child.kill('SIGKILL');
        await closed;
      }
      await folder.close();
    },
  };
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
