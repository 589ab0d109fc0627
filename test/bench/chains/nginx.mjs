/** Two hops of nginx: with mutual TLS between them, or in plaintext. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { start } from '../processes.mjs';

/** @import { Ports } from './index.mjs' */

const COMMON = `daemon off; error_log stderr error; worker_processes 1;
events { worker_connections 4096; }`;
const HTTP = `access_log off; keepalive_requests 10000000; client_max_body_size 0;
  proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  proxy_set_header Connection $connection_field; proxy_set_header Upgrade $http_upgrade;`;

/** @returns a folder for what one chain needs */
const makeFolder = () => mkdtempSync(join(tmpdir(), 'relay-bench-'));

/**
 * Creates a self-signed certificate and its key.
 *
 * @param {string} folder
 */
function makeCertificate(folder) {
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  return { key, cert };
}

/**
 * One hop.
 *
 * @param {string} folder
 * @param {string} name
 * @param {number} nextPort - of the next hop, which `location` calls `next`
 * @param {string} server - the directives of its `server` block
 */
function startHop(folder, name, nextPort, server) {
  const file = join(folder, `${name}.conf`);
  const next = `upstream next { server 127.0.0.1:${nextPort}; keepalive 256; keepalive_requests 10000000; }`;
  writeFileSync(
    file,
    `${COMMON} pid ${join(folder, name)}.pid; http { ${HTTP} ${next} server { ${server} } }`,
  );
  return start('nginx', ['-c', file, '-p', folder], {}, 'SIGTERM');
}

/** @param {Ports} ports */
export function startNginxChain({ entryPort, middlePort, upstreamPort }) {
  const folder = makeFolder();
  const { key, cert } = makeCertificate(folder);
  const entry = startHop(
    folder,
    'entry',
    middlePort,
    `listen 127.0.0.1:${entryPort}; location / { proxy_pass https://next; proxy_ssl_session_reuse on;
       proxy_ssl_certificate ${cert}; proxy_ssl_certificate_key ${key}; proxy_ssl_verify on;
       proxy_ssl_trusted_certificate ${cert}; proxy_ssl_name localhost; }`,
  );
  const middle = startHop(
    folder,
    'middle',
    upstreamPort,
    `listen 127.0.0.1:${middlePort} ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
       ssl_client_certificate ${cert}; ssl_verify_client on; location / { proxy_pass http://next; }`,
  );
  return [entry, middle];
}

/** @param {Ports} ports */
export function startPlainNginxChain({ entryPort, middlePort, upstreamPort }) {
  const folder = makeFolder();
  /**
   * @param {string} name
   * @param {number} port
   * @param {number} nextPort
   */
  const hop = (name, port, nextPort) =>
    startHop(
      folder,
      name,
      nextPort,
      `listen 127.0.0.1:${port}; location / { proxy_pass http://next; }`,
    );
  return [hop('entry', entryPort, middlePort), hop('middle', middlePort, upstreamPort)];
}
