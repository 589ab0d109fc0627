import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const PROGRAM = resolve('test/support/upstreams/upgrades.mjs');

/** An API in a process of its own, which sends on every upgraded connection without an end. */
export interface UpgradeProcess {
  readonly url: string;
  /** Ends the process like a power cut. May follow itself. */
  close(): Promise<void>;
}

export async function startUpgradeProcess(): Promise<UpgradeProcess> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const ended = once(child, 'close');
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}`,
    close: async () => {
      killOnExit();
      process.off('exit', killOnExit);
      await ended;
    },
  };
}
