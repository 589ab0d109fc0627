/** A load as real clients make it: GETs and POSTs of changing size, streamed and buffered, of which some are aborted. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { Agent, request } from 'node:http';

/** @import { ClientRequest, RequestOptions } from 'node:http' */

/**
 * @typedef {object} Totals
 * @property {number} completed
 * @property {number} aborted - by the client
 * @property {number} failed
 */

/**
 * One request, chosen at random.
 *
 * @typedef {object} Choice
 * @property {boolean} isPost
 * @property {boolean} isBuffered - sent as MTE
 * @property {boolean} isAborted
 * @property {number} bytes - of its body, or of that of its response
 */

const MAX_BYTES = 20_000;
const BUFFERED_SHARE = 0.1;
const ABORTED_SHARE = 0.02;
const CONTENT = Buffer.alloc(MAX_BYTES, 'x');
/** What the API responds to a POST. */
const POST_RESPONSE_BYTES = 1024;

/** @returns {Choice} */
const choose = () => ({
  isPost: Math.random() < 0.5,
  isBuffered: Math.random() < BUFFERED_SHARE,
  isAborted: Math.random() < ABORTED_SHARE,
  bytes: Math.floor(Math.random() * (MAX_BYTES + 1)),
});

/**
 * @param {ClientRequest} outgoing
 * @returns {Promise<number>} the length of the response
 */
async function readResponse(outgoing) {
  const [response] = await once(outgoing, 'response');
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`the status of a response was ${response.statusCode}`);
  }
  let received = 0;
  for await (const chunk of response) {
    received += chunk.length;
  }
  return received;
}

/**
 * Sends requests, one after another on each of some connections.
 *
 * @param {{ port: number, headers: Record<string, string> }} entry
 * @param {{ connections: number, untilMs: number }} extent - the time by the clock of `Date.now()`
 * @param {Totals} totals - counted up meanwhile
 * @param {(reason: string) => void} report - called for each failure
 */
export async function sendMixedLoad({ port, headers }, { connections, untilMs }, totals, report) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  /** @param {Choice} choice */
  async function exchange({ isPost, isBuffered, isAborted, bytes }) {
    /** @type {RequestOptions} */
    const options = {
      host: '127.0.0.1',
      port,
      agent,
      method: isPost ? 'POST' : 'GET',
      path: isPost ? '/' : `/bytes/${bytes}`,
      headers: {
        ...headers,
        ...(isBuffered && { 'x-mte-encode-type': 'MTE' }),
        ...(isPost && { 'content-length': bytes }),
      },
    };
    const outgoing = request(options);
    if (isAborted) {
      await abort(outgoing, isPost, bytes);
      totals.aborted += 1;
      return;
    }
    outgoing.end(isPost ? CONTENT.subarray(0, bytes) : undefined);
    const received = await readResponse(outgoing);
    const expected = isPost ? POST_RESPONSE_BYTES : bytes;
    if (received !== expected) {
      throw new Error(`${received} bytes instead of ${expected} were received`);
    }
    totals.completed += 1;
  }

  async function sendInTurn() {
    while (Date.now() < untilMs) {
      try {
        await exchange(choose());
      } catch (error) {
        totals.failed += 1;
        report(error instanceof Error ? error.message : String(error));
      }
    }
  }

  await Promise.all(Array.from({ length: connections }, sendInTurn));
  agent.destroy();
}

/**
 * Closes the connection of a request: of a POST after half of its body, of a GET as soon as it has been sent.
 *
 * @param {ClientRequest} outgoing
 * @param {boolean} isPost
 * @param {number} bytes
 */
async function abort(outgoing, isPost, bytes) {
  const closed = new Promise((resolve) => {
    outgoing.once('close', resolve);
  });
  // The request fails because its connection is closed here.
  outgoing.on('error', () => undefined);
  if (isPost) {
    outgoing.write(CONTENT.subarray(0, bytes / 2), () => outgoing.destroy());
  } else {
    outgoing.end(() => outgoing.destroy());
  }
  await closed;
}
