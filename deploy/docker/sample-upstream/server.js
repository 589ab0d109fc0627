/**
 * An API to try a relay with, which knows nothing of relays: it signs anyone in at POST /api/login,
 * streams ten server-sent events at GET /api/events, and otherwise tells what it received; ?delayMs=
 * makes it take its time. Its log has one line a request.
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

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://upstream');
  const body = Buffer.concat(await request.toArray());
  print(`${request.method} ${request.url}`);
  await delay(Math.min(Number(searchParams.get('delayMs') ?? 0), MAX_DELAY_MS));
  if (request.method === 'POST' && pathname === '/api/login') return signIn(body, response);
  if (request.method === 'GET' && pathname === '/api/events') return streamEvents(response);
  return json(response, 200, {
    method: request.method,
    path: request.url,
    headers: request.headers,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  });
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) response.destroy();
    else json(response, 400, { error: String(error) });
  });
});

// Process 1 of a container dies of no signal that it does not handle.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
server.listen(PORT, () => print(`sample upstream on port ${PORT}`));
