/** Single exchanges by the HTTP client of Node.js: for what wrk cannot do. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const PIECE = Buffer.alloc(65_536, 'x');

/** Sends the head of a request. @returns the request, and its answer once its head has come */
function open(chain, agent, path, method = 'GET', headers = {}) {
  const outgoing = request({
    host: '127.0.0.1',
    port: chain.port,
    path,
    method,
    agent,
    headers: { ...chain.headers, ...headers },
  });
  const answered = once(outgoing, 'response').then(([answer]) => answer);
  return { outgoing, answered };
}

async function readBytes(answer) {
  let bytes = 0;
  answer.on('data', (chunk) => (bytes += chunk.length));
  await once(answer, 'end');
  return bytes;
}

async function expectOk(chain, answered) {
  const answer = await answered;
  if (answer.statusCode !== 200) {
    throw new Error(`${chain.name}: a request was answered with ${answer.statusCode}`);
  }
  return answer;
}

/** One GET, answered with 200. @returns the number of bytes */
export async function get(chain, path, agent = false) {
  const { outgoing, answered } = open(chain, agent, path);
  outgoing.end();
  return readBytes(await expectOk(chain, answered));
}

/** One GET of a text. @returns undefined where it was not answered with 200 */
export async function getText(port, path) {
  const { outgoing, answered } = open({ port, headers: {} }, false, path);
  outgoing.end();
  const answer = await answered;
  const text = (await answer.setEncoding('utf8').toArray()).join('');
  return answer.statusCode === 200 ? text : undefined;
}

/** One GET of so many bytes. */
export async function download(chain, bytes, agent) {
  const arrived = await get(chain, `/bytes/${bytes}`, agent);
  if (arrived !== bytes) throw new Error(`${chain.name}: ${arrived} of ${bytes} bytes arrived`);
}

/** One PUT of so many bytes. */
export async function upload(chain, bytes, agent) {
  const { outgoing, answered } = open(chain, agent, '/', 'PUT', { 'content-length': bytes });
  const finished = expectOk(chain, answered).then(readBytes);
  await Promise.all([finished, write(outgoing, bytes)]);
}

async function write(outgoing, bytes) {
  for (let left = bytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    if (!outgoing.write(piece)) await once(outgoing, 'drain');
  }
  outgoing.end();
}

/** Latencies in ms of GETs that start at fixed times, whether or not earlier ones have been answered. */
export async function atRate(chain, { perSecond, seconds }, agent) {
  const startMs = performance.now();
  const pending = [];
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const waitMs = startMs + (sent * 1000) / perSecond - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const sentMs = performance.now();
    pending.push(get(chain, '/1k', agent).then(() => performance.now() - sentMs));
  }
  return Promise.all(pending);
}

/** Opens an event stream and waits for its first event. @returns what closes it */
export async function openStream(chain) {
  const { outgoing, answered } = open(chain, false, '/events');
  outgoing.on('error', () => undefined).end();
  const answer = await expectOk(chain, answered);
  answer.on('error', () => undefined);
  await once(answer, 'data');
  return () => outgoing.destroy();
}
