import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';

/** wget exits with 6 for a 401, with 8 for other error responses, and with 4 for a failure of the network. */
const EXIT_CODES_OF_RESPONSES: ReadonlySet<number | null> = new Set([0, 6, 8]);
const STATUS_LINE = /HTTP\/1\.\d (\d{3})/;

/** Whether wget is installed; prints a warning if it is not. */
export const hasWget = (): boolean => hasProgram(['wget'], 'wget', '--version');

/** Sends a file of zeros once, without repeats. @returns the status of the response, or how wget failed */
export async function uploadWithWget(
  url: string,
  bytes: number,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await temporaryFolder();
  try {
    const file = join(folder.path, 'upload');
    await writeFile(file, '');
    await truncate(file, bytes);
    const fields = Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`);
    const child = spawn(
      'wget',
      [
        ...['--no-config', '--no-proxy', '--server-response', '--output-document=-'],
        ...['--tries=1', '--timeout=60', '--method=PUT', `--body-file=${file}`, ...fields, url],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const [log] = await Promise.all([text(child.stderr), once(child, 'close')]);
    const [, status = 'no response'] = STATUS_LINE.exec(log) ?? [];
    return EXIT_CODES_OF_RESPONSES.has(child.exitCode)
      ? status
      : `exit code ${child.exitCode}: ${log}`;
  } finally {
    await folder.close();
  }
}
