import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { hasProgram } from '../processes/apt-packages.js';

/** A real gunicorn, which responds with 401 to every request without reading its body, and then closes the connection. */
export interface Gunicorn {
  readonly url: string;
  close(): Promise<void>;
}

const APPLICATION = `
def application(environ, start_response):
    start_response("401 Unauthorized", [("Content-Length", "4")])
    return [b"nope"]
`;

const ADDRESS = /Listening at: (http:\/\/[\d.:]+)/;

/** Whether gunicorn is installed; prints a warning if it is not. */
export const hasGunicorn = (): boolean => hasProgram(['gunicorn'], 'gunicorn', '--version');

export async function startGunicorn(): Promise<Gunicorn> {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'refusing.py'), APPLICATION);
  const child = spawn('gunicorn', ['--bind', '127.0.0.1:0', 'refusing:application'], {
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Its workers end once it is gone; SIGTERM ends them first.
  const killOnExit = (): boolean => child.kill('SIGTERM');
  process.once('exit', killOnExit);
  const closed = once(child, 'close');
  const listening = new Promise<string>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const [, url] = ADDRESS.exec(line) ?? [];
      if (url !== undefined) {
        resolve(url);
      }
    });
  });
  return {
    url: await Promise.race([
      listening,
      closed.then(() => {
        throw new Error('gunicorn ended before it listened');
      }),
    ]),
    close: async () => {
      killOnExit();
      process.off('exit', killOnExit);
      await closed;
      await folder.close();
    },
  };
}
