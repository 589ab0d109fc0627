/**
 * The demo's upstream: an API that knows nothing of relays. Over the channel between their processes it reports to
 * the demo exactly what it received.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

/** @import { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http' */
/** @import { AddressInfo } from 'node:net' */

/**
 * The first message to the demo.
 *
 * @typedef {object} Listening
 * @property {'listening'} kind
 * @property {number} port
 */

/**
 * What the upstream received with a request. Every later message to the demo is one.
 *
 * @typedef {object} Report
 * @property {'received'} kind
 * @property {string} requestLine
 * @property {string[]} rawHeaders
 * @property {number} bytes
 * @property {string} sha256
 * @property {string} bodyStart
 */

const MAX_SHOWN_BYTES = 1_024;

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Listening | Report} message */
const sendToDemo = (message) => process.send?.(message);

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {object} value
 * @param {OutgoingHttpHeaders} headers
 */
const json = (response, status, value, headers = {}) => {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
};

/**
 * @param {IncomingMessage} request
 * @param {Buffer} body
 * @param {ServerResponse} response
 */
function respond({ method, url = '/' }, body, response) {
  const { pathname } = new URL(url, 'http://upstream');
  if (method === 'POST' && pathname === '/api/login') {
    const sessionToken = randomBytes(18).toString('base64url');
    const cookies = [`session=${sessionToken}; HttpOnly`, 'theme=dark'];
    json(response, 200, { signedIn: true, sessionToken }, { 'set-cookie': cookies });
  } else if (method === 'POST' && pathname.startsWith('/api/files/')) {
    json(response, 201, {
      name: pathname.split('/').at(-1),
      bytes: body.length,
      sha256: sha256(body),
    });
  } else {
    json(response, 200, { method, path: url, bytes: body.length });
  }
}

const server = createServer(async (request, response) => {
  try {
    const body = Buffer.concat(await request.toArray());
    sendToDemo({
      kind: 'received',
      requestLine: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      rawHeaders: request.rawHeaders,
      bytes: body.length,
      sha256: sha256(body),
      bodyStart: body.toString('latin1', 0, MAX_SHOWN_BYTES),
    });
    respond(request, body, response);
  } catch {
    // The request was cut off: nobody waits for a response.
    response.destroy();
  }
});

process.once('disconnect', () => process.exit(1));
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {AddressInfo} */ (server.address());
  sendToDemo({ kind: 'listening', port });
});
