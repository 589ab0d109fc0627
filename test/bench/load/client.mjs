/** Single exchanges with the HTTP client of Node.js, for what wrk cannot do. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** @import { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http' */
/** @import { Chain } from '../chains/index.mjs' */

/** @typedef {Pick<Chain, 'name' | 'port' | 'headers'>} Entry */

const CHUNK = Buffer.alloc(65_536, 'x');

/**
 * Sends the head of a request.
 *
 * @param {Entry} entry
 * @param {Agent | false} agent - false for a new connection
 * @param {string} path
 * @param {string} method
 * @param {OutgoingHttpHeaders} headers
 * @returns the request, and the response as soon as its head has been received
 */
function open(entry, agent, path, method = 'GET', headers = {}) {
  const outgoing = request({
    host: '127.0.0.1',
    port: entry.port,
    path,
    method,
    agent,
    headers: { ...entry.headers, ...headers },
  });
  return { outgoing, responded: responseOf(outgoing) };
}

/**
 * @param {ClientRequest} outgoing
 * @returns {Promise<IncomingMessage>}
 */
async function responseOf(outgoing) {
  const [response] = await once(outgoing, 'response');
  return response;
}

/** @param {IncomingMessage} response */
async function readBytes(response) {
  let bytes = 0;
  response.on('data', (chunk) => (bytes += chunk.length));
  await once(response, 'end');
  return bytes;
}

/**
 * @param {Entry} entry
 * @param {Promise<IncomingMessage>} responded
 */
async function expectOk(entry, responded) {
  const response = await responded;
  if (response.statusCode !== 200) {
    throw new Error(`${entry.name}: the status of a response was ${response.statusCode}`);
  }
  return response;
}

/**
 * Sends a GET and expects a response with status 200.
 *
 * @param {Entry} entry
 * @param {string} path
 * @param {Agent | false} agent
 * @returns the number of bytes of the response
 */
export async function get(entry, path, agent = false) {
  const { outgoing, responded } = open(entry, agent, path);
  outgoing.end();
  return readBytes(await expectOk(entry, responded));
}

/**
 * Sends a GET for a text.
 *
 * @param {number} port
 * @param {string} path
 * @returns {Promise<string | undefined>} undefined if the status is not 200
 */
export async function getText(port, path) {
  const { outgoing, responded } = open({ name: path, port, headers: {} }, false, path);
  outgoing.end();
  const response = await responded;
  const text = (await response.setEncoding('utf8').toArray()).join('');
  return response.statusCode === 200 ? text : undefined;
}

/**
 * Sends a GET for a body of this size.
 *
 * @param {Entry} entry
 * @param {number} bytes
 * @param {Agent} agent
 */
export async function download(entry, bytes, agent) {
  const received = await get(entry, `/bytes/${bytes}`, agent);
  if (received !== bytes) {
    throw new Error(`${entry.name}: ${received} of ${bytes} bytes were received`);
  }
}

/**
 * Sends a PUT with a body of this size.
 *
 * @param {Entry} entry
 * @param {number} bytes
 * @param {Agent} agent
 */
export async function upload(entry, bytes, agent) {
  const { outgoing, responded } = open(entry, agent, '/', 'PUT', { 'content-length': bytes });
  const finished = expectOk(entry, responded).then(readBytes);
  await Promise.all([finished, write(outgoing, bytes)]);
}

/**
 * @param {ClientRequest} outgoing
 * @param {number} bytes
 */
async function write(outgoing, bytes) {
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
    if (!outgoing.write(chunk)) {
      await once(outgoing, 'drain');
    }
  }
  outgoing.end();
}

/**
 * Sends GETs at fixed times, whether or not earlier ones have received a response.
 *
 * @param {Entry} entry
 * @param {{ perSecond: number, seconds: number }} rate
 * @param {Agent} agent
 * @returns {Promise<number[]>} latencies in ms
 */
export async function atRate(entry, { perSecond, seconds }, agent) {
  const startMs = performance.now();
  const pending = [];
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const waitMs = startMs + (sent * 1000) / perSecond - performance.now();
    if (waitMs > 0) {
      await delay(waitMs);
    }
    const sentMs = performance.now();
    pending.push(get(entry, '/1k', agent).then(() => performance.now() - sentMs));
  }
  return Promise.all(pending);
}

/**
 * Opens an event stream and waits for its first event.
 *
 * @param {Entry} entry
 * @returns a function that closes the stream
 */
export async function openStream(entry) {
  const { outgoing, responded } = open(entry, false, '/events');
  outgoing.on('error', () => undefined).end();
  const response = await expectOk(entry, responded);
  response.on('error', () => undefined);
  await once(response, 'data');
  return () => {
    outgoing.destroy();
  };
}
