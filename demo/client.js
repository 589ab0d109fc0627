import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { performance } from 'node:perf_hooks';

/** @import { IncomingMessage } from 'node:http' */

/**
 * A response that has been read to its end.
 *
 * @typedef {object} DemoResponse
 * @property {string} statusLine
 * @property {number} status
 * @property {string[]} rawHeaders
 * @property {Buffer} body
 * @property {number} ms - from the start of the request to the end of the response
 */

const agent = new Agent({ keepAlive: true });

/**
 * Sends one request and reads the whole response.
 *
 * @param {string} origin
 * @param {{ method: string, path: string, headers: Record<string, string>, body: Buffer }} request - only `connection`
 *   is added to its headers
 * @returns {Promise<DemoResponse>}
 */
export async function send(origin, { method, path, headers, body }) {
  const startedAt = performance.now();
  const outgoing = httpRequest(origin + path, { method, headers, agent });
  outgoing.end(body);
  const [response] = /** @type {[IncomingMessage]} */ (await once(outgoing, 'response'));
  const { httpVersion, statusCode = 0, statusMessage } = response;
  const responseBody = Buffer.concat(await response.toArray());
  return {
    statusLine: `HTTP/${httpVersion} ${statusCode} ${statusMessage}`,
    status: statusCode,
    rawHeaders: response.rawHeaders,
    body: responseBody,
    ms: performance.now() - startedAt,
  };
}
