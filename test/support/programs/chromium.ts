import { once } from 'node:events';

import type { TemporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';
import { startProgram } from './program.js';

/** Whether Chromium is installed; prints a warning if it is not. */
export const hasChromium = (): boolean => hasProgram(['chromium'], 'chromium', '--version');

const OPTIONS = [
  '--headless',
  // Root may run it only so, and containers often have little shared memory.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--no-first-run',
  // It calls nobody but the test.
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Names that lead to this machine, and the rest to nothing. */
const namesOf = (names: readonly string[]): string =>
  [
    ...names.map((name) => `MAP ${name} 127.0.0.1`),
    'MAP * ~NOTFOUND',
    'EXCLUDE 127.0.0.1',
    'EXCLUDE localhost',
  ].join(', ');

const END_LIMIT_MS = 20_000;

/** A running Chromium, with a profile of its own. */
export interface Chromium {
  /** Resolves with what it wrote once it has ended. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/**
 * Opens a page in a Chromium without a window.
 *
 * @param folder - for its profile, removed when it is closed
 * @param names - that lead to this machine
 */
export function startChromium(
  url: string,
  folder: TemporaryFolder,
  names: readonly string[] = [],
): Chromium {
  const own = [`--user-data-dir=${folder.path}`, `--host-resolver-rules=${namesOf(names)}`];
  const child = startProgram('chromium', [...OPTIONS, ...own, url], { cwd: folder.path });
  let log = '';
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const ended = once(child, 'close').then(() => log);
  return {
    ended,
    close: async () => {
      // Asked to, it ends its own processes first.
      child.kill('SIGTERM');
      const limit = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
      await ended;
      clearTimeout(limit);
      await folder.close();
    },
  };
}
