/** Two hops of nginx, with mutual TLS between them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { start } from '../processes.mjs';

/** @import { Ports } from './index.mjs' */

const COMMON = `daemon off; error_log stderr error; worker_processes 1;
events { worker_connections 4096; }`;
const HTTP = `access_log off; keepalive_requests 10000000; client_max_body_size 0;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off;`;

/** Creates a folder with a self-signed certificate and its key. */
function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'relay-bench-'));
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  return { folder, key, cert };
}

/** @param {Ports} ports */
export function startNginxChain({ entryPort, middlePort, upstreamPort }) {
  const { folder, key, cert } = makeCertificate();
  /**
   * @param {string} name
   * @param {string} http - the directives of its `http` block
   */
  const run = (name, http) => {
    const file = join(folder, `${name}.conf`);
    writeFileSync(file, `${COMMON} pid ${join(folder, name)}.pid; http { ${HTTP} ${http} }`);
    return start('nginx', ['-c', file, '-p', folder], {}, 'SIGTERM');
  };
  const entry = run(
    'entry',
    `upstream middle { server 127.0.0.1:${middlePort}; keepalive 256; keepalive_requests 10000000; }
     server { listen 127.0.0.1:${entryPort}; location / { proxy_pass https://middle; proxy_ssl_session_reuse on;
       proxy_ssl_certificate ${cert}; proxy_ssl_certificate_key ${key}; proxy_ssl_verify on;
       proxy_ssl_trusted_certificate ${cert}; proxy_ssl_name localhost; } }`,
  );
  const middle = run(
    'middle',
    `upstream api { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 10000000; }
     server { listen 127.0.0.1:${middlePort} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
       ssl_client_certificate ${cert}; ssl_verify_client on; location / { proxy_pass http://api; } }`,
  );
  return [entry, middle];
}
