/**
 * An API for trying out a relay, which knows nothing about relays. It signs anyone in at POST /api/login,
 * streams ten server-sent events at GET /api/events, and otherwise returns a description of the request;
 * ?delayMs= delays the response. Its log has one line per request.
 */
import { Buffer } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { URL } from 'node:url';

const PORT = Number(process.env.PORT ?? 3000);
const MAX_DELAY_MS = 30_000;
const EVENTS = 10;
const EVENT_INTERVAL_MS = 1000;

const print = (line) => process.stdout.write(`${line}\n`);

const json = (response, status, value, headers = {}) => {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
};

function signIn(body, response) {
  const { username, email = 'nobody' } = JSON.parse(body.toString());
  const cookies = [`session=${randomUUID()}; HttpOnly`, 'theme=dark'];
  json(response, 200, { signedIn: true, as: username ?? email }, { 'set-cookie': cookies });
}

async function streamEvents(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  for (let id = 1; id <= EVENTS && !response.destroyed; id += 1) {
    response.write(`id: ${id}\ndata: ${new Date().toISOString()}\n\n`);
    await delay(EVENT_INTERVAL_MS);
  }
  response.end();
}

async function respond(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://upstream');
  const body = Buffer.concat(await request.toArray());
  print(`${request.method} ${request.url}`);
  await delay(Math.min(Number(searchParams.get('delayMs') ?? 0), MAX_DELAY_MS));
  if (request.method === 'POST' && pathname === '/api/login') {
    return signIn(body, response);
  }
  if (request.method === 'GET' && pathname === '/api/events') {
    return streamEvents(response);
  }
  return json(response, 200, {
    method: request.method,
    path: request.url,
    headers: request.headers,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  });
}

const server = createServer((request, response) => {
  respond(request, response).catch((error) => {
    if (response.headersSent) {
      response.destroy();
    } else {
      json(response, 400, { error: String(error) });
    }
  });
});

// The kernel ignores signals to process 1 of a container unless the process handles them.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(0));
}
server.listen(PORT, () => print(`sample upstream on port ${PORT}`));
