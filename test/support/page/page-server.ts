import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

import type { Status } from '@relay/status';

import { SUMMARY_STYLE } from '../../../apps/relay/src/admin/summary-style.js';
import { summaryOf } from '../../../apps/relay/src/admin/summary.js';

const BUILT = 'dist/page';
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
/** As the admin listener sends them. */
const FIELDS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Serves the built page as a relay does, with reports that a test chooses. */
export interface PageServer {
  readonly url: string;
  /** Sends a status to every page that is open, and to those that open later. */
  push(status: Status): void;
  /** From now on `/events` and `/status.json` have this status; 200 is as usual. Open streams are ended. */
  respondWith(status: number): void;
  /** Ends open connections, and accepts none until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPageServer(first: Status): Promise<PageServer> {
  let current = first;
  let statusCode = 200;
  let port = 0;
  const pages = new Set<ServerResponse>();
  const server = createServer(({ url = '/' }, response) => {
    const path = new URL(url, 'http://page').pathname;
    if (statusCode !== 200 && (path === '/events' || path === '/status.json')) {
      response.writeHead(statusCode, FIELDS).end();
    } else if (path === '/events') {
      response.writeHead(200, { ...FIELDS, 'content-type': 'text/event-stream' });
      pages.add(response);
      response.once('close', () => pages.delete(response));
      send(response, current);
    } else if (path === '/status.json') {
      const json = { ...FIELDS, 'content-type': 'application/json; charset=utf-8' };
      response.writeHead(200, json).end(JSON.stringify(current));
    } else if (path === '/summary') {
      response.writeHead(200, { ...FIELDS, 'content-type': TYPES['.html'] });
      response.end(summaryOf(current));
    } else if (path === '/summary.css') {
      response.writeHead(200, { ...FIELDS, 'content-type': TYPES['.css'] }).end(SUMMARY_STYLE);
    } else {
      respondWithFile(response, path);
    }
  });
  const start = async (): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await start();
  return {
    url: `http://127.0.0.1:${String(port)}/`,
    push: (status) => {
      current = status;
      pages.forEach((page) => {
        send(page, status);
      });
    },
    respondWith: (status) => {
      statusCode = status;
      pages.forEach((page) => page.destroy());
    },
    stop,
    start,
    close: stop,
  };
}

function send(page: ServerResponse, { report, history }: Status): void {
  page.write(`event: history\ndata: ${JSON.stringify(history)}\n\n`);
  page.write(`event: report\ndata: ${JSON.stringify(report)}\n\n`);
}

function respondWithFile(response: ServerResponse, path: string): void {
  const file = join(BUILT, normalize(path === '/' ? '/index.html' : path));
  try {
    const content = readFileSync(file);
    response.writeHead(200, { ...FIELDS, 'content-type': TYPES[extname(file)] }).end(content);
  } catch {
    response.writeHead(404, FIELDS).end();
  }
}
