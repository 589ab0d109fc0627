import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { hasProgram } from '../processes/apt-packages.js';
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

/** Whether nginx is installed; prints a warning if it is not. */
export const hasNginx = (): boolean =>
  hasProgram(PACKAGES, 'sh', '-c', `nginx -v && test -e ${DAV_MODULE}`);

/** TLS that nginx requires of its clients: a certificate of theirs, and paths of PEM files for its own. */
export interface NginxTls {
  readonly cert: string;
  readonly key: string;
  /** The authority that signs for its clients. */
  readonly ca: string;
  /** Port of a server that speaks WebSocket, for `/ws`. */
  readonly webSocketPort: number;
}

export async function startNginx(tls?: NginxTls): Promise<Nginx> {
  const folder = await temporaryFolder();
  const root = join(folder.path, 'root');
  await mkdir(root);
  const port = await closedPort(createServer());
  const config = join(folder.path, 'nginx.conf');
  await writeFile(config, configuration(folder.path, root, port, tls));
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
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
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

/** `/caller` responds with the name in the certificate of the client. */
const mutualTls = ({ cert, key, ca, webSocketPort }: NginxTls): string => `
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_client_certificate ${ca};
    ssl_verify_client on;
    location /caller { return 200 "$ssl_client_s_dn $ssl_server_name $host"; }
    location /ws {
      proxy_pass http://127.0.0.1:${webSocketPort};
      proxy_http_version 1.1;
      proxy_set_header Connection upgrade;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Caller $ssl_client_s_dn;
    }`;

const configuration = (folder: string, root: string, port: number, tls?: NginxTls): string => `
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
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'};${tls === undefined ? '' : mutualTls(tls)}
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
