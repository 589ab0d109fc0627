import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { installPackages } from '../processes/apt-packages.js';
import { closedPort } from '../network/listen.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';

/** A real nginx that serves a folder, also over WebDAV. */
export interface Nginx {
  readonly port: number;
  readonly url: string;
  /** The folder that nginx serves. */
  readonly root: string;
  close(): Promise<void>;
}

const PACKAGES = ['nginx-light', 'libnginx-mod-http-dav-ext'];
/** Debian's module for PROPFIND, OPTIONS, LOCK and UNLOCK. */
const DAV_MODULE = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so';

const isInstalled = (): boolean =>
  spawnSync('nginx', ['-v']).status === 0 && existsSync(DAV_MODULE);

/** Whether nginx is installed; prints a warning if it is not. */
export function hasNginx(): boolean {
  if (!isInstalled()) {
    installPackages(PACKAGES);
  }
  const isThere = isInstalled();
  if (!isThere) {
    console.warn(
      `nginx is missing: tests with nginx as upstream are skipped. Install ${PACKAGES.join(' and ')} to run them.`,
    );
  }
  return isThere;
}

export async function startNginx(): Promise<Nginx> {
  const folder = await temporaryFolder();
  const root = join(folder.path, 'root');
  await mkdir(root);
  const port = await closedPort(createServer());
  const config = join(folder.path, 'nginx.conf');
  await writeFile(config, configuration(folder.path, root, port));
  const child = spawn('nginx', ['-c', config, '-p', folder.path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const killOnExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  await new Promise<void>((resolve, reject) => {
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      // nginx logs its event method once it listens.
      if (log.includes('event method')) {
        resolve();
      }
    });
    child.once('close', () => {
      reject(new Error(`nginx did not start\n${log}`));
    });
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    root,
    close: async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      process.off('exit', killOnExit);
      await closed;
      await folder.close();
    },
  };
}

const configuration = (folder: string, root: string, port: number): string => `
load_module ${DAV_MODULE};
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  default_type application/octet-stream;
  types { text/plain txt; text/html html; application/json json; }
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  gzip on;
  gzip_types application/json;
  gzip_min_length 1;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location / { autoindex on; }
    location /small/ { client_max_body_size 1k; dav_methods PUT; }
    location /dav/ {
      client_max_body_size 0;
      create_full_put_path on;
      dav_methods PUT DELETE MKCOL COPY MOVE;
      dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
      dav_ext_lock zone=locks;
    }
  }
}
`;
