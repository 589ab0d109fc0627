import { randomBytes } from 'node:crypto';
import { checkReceived, must, mustEqual, requestLineOf, valuesOf, within } from './checks.js';
import { conversationOf, isOverChannel, perform, requestThrough } from './exchange.js';
import { bytesText, hexDump, printLines, printMessage, printTitle } from './print.js';

/** @import { DemoRequest, Exchange } from './exchange.js' */
/** @import { Scene } from './scene.js' */
/** @import { Conversation } from './tap.js' */

/**
 * An exchange, and by name the texts in it that must not be readable between the relays.
 *
 * @typedef {Exchange & { secrets: Record<string, string> }} Act
 */

const SHOWN_BYTES = 96;
const CHANNEL_LIMIT_MS = 20_000;
const FILE_BYTES = 1024 * 1024;
const HEAD_END = '\r\n\r\n';

const freshCanary = () => `canary-${randomBytes(9).toString('hex')}`;

/**
 * Sends the login request of the README and shows it at every point that it passes.
 *
 * @param {Scene} scene
 * @returns {Promise<Act>}
 */
export async function showLogin(scene) {
  const canary = freshCanary();
  const password = randomBytes(12).toString('base64url');
  const request = requestThrough(scene, {
    path: '/api/login',
    headers: { 'content-type': 'application/json', 'x-demo': canary },
    body: Buffer.from(JSON.stringify({ username: 'ada', password })),
  });
  const exchange = await perform(scene, request);
  const { response, received } = exchange;

  printTitle('1. The client sends this to relay A');
  const fields = Object.entries(request.headers).flat();
  printMessage(requestLineOf(request), fields, [request.body.toString()]);

  printTitle(
    '2. This crosses from relay A to relay B: a message, while the relays have no channel yet',
  );
  printSealed(conversationOf(exchange.sealed, 'POST /api/mte-tunnel HTTP/1.1'));

  printTitle('3. The upstream receives this from relay B');
  printMessage(received.requestLine, received.rawHeaders, [received.bodyStart]);
  checkReceived(request, received, scene.upstreamOrigin);

  printTitle('4. The client receives this response');
  const responseText = response.body.toString().trim();
  printMessage(response.statusLine, response.rawHeaders, [responseText]);
  mustEqual('the status of the login', response.status, 200);
  mustEqual('the number of cookies', valuesOf(response.rawHeaders, 'set-cookie').length, 2);

  return {
    ...exchange,
    secrets: {
      'the path /api/login': '/api/login',
      'the password': password,
      'the value of x-demo': canary,
      'the session token in the response': JSON.parse(responseText).sessionToken,
    },
  };
}

/**
 * Sends a request again until it goes over a channel, which relay A opens in the background after its first request, and
 * shows what crosses.
 *
 * @param {Scene} scene
 * @param {DemoRequest} request
 * @returns {Promise<Exchange>}
 */
export async function showChannel(scene, request) {
  const exchange = await within(
    CHANNEL_LIMIT_MS,
    'the opening of a channel between the relays',
    performOverChannel(scene, request),
  );
  checkReceived(request, exchange.received, scene.upstreamOrigin);

  printTitle('5. The same request again, over a channel that relay A has opened in the meantime');
  printOpening(conversationOf(scene.sealedTap.conversations(), 'GET /api/mte-channel HTTP/1.1'));
  const sent = exchange.sealed[0]?.sent ?? Buffer.alloc(0);
  printLines([
    'It stays open and carries many requests at once. Of this one, all that crosses to relay B is',
    '',
    ...hexDump(sent, SHOWN_BYTES),
    `      … and ${bytesText(sent.length - SHOWN_BYTES)} more: a WebSocket message with one sealed record`,
  ]);
  return exchange;
}

/**
 * @param {Scene} scene
 * @param {DemoRequest} request
 */
async function performOverChannel(scene, request) {
  for (;;) {
    const exchange = await perform(scene, request);
    if (isOverChannel(exchange.sealed)) {
      return exchange;
    }
  }
}

/**
 * Uploads a file and compares it with what the upstream reports to have received.
 *
 * @param {Scene} scene
 * @returns {Promise<Act>}
 */
export async function showUpload(scene) {
  const canary = freshCanary();
  const path = `/api/files/${canary}.txt`;
  const request = requestThrough(scene, {
    path,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.alloc(FILE_BYTES, `Every line of this file contains ${canary}.\n`),
  });
  const exchange = await perform(scene, request);
  const { response, received } = exchange;
  const responseText = response.body.toString().trim();

  printTitle('6. A file, over a channel');
  printLines([
    `${requestLineOf(request)}, ${bytesText(request.body.length)}`,
    `${response.statusLine}, ${responseText}`,
  ]);
  checkReceived(request, received, scene.upstreamOrigin);
  must(isOverChannel(exchange.sealed), 'the file did not cross over a channel');
  mustEqual('the status of the upload', response.status, 201);
  mustEqual('the digest in the response', JSON.parse(responseText).sha256, request.sha256);
  printLines(['', 'The digest matches the file that the client sent.']);

  return { ...exchange, secrets: { "the file's name and lines": canary } };
}

/**
 * Prints the head of a tunnel request, which is not sealed, and the first bytes of its sealed body.
 *
 * @param {Conversation | undefined} conversation
 */
function printSealed(conversation) {
  must(conversation !== undefined, 'no tunnel request crossed between the relays');
  const { firstLine, fields, rest } = headOf(conversation.sent);
  must(rest.length > SHOWN_BYTES, 'the tunnel request has no sealed body');
  printMessage(firstLine, fields, [
    ...hexDump(rest, SHOWN_BYTES),
    `      … and ${bytesText(rest.length - SHOWN_BYTES)} more, which contain the path, headers and body`,
  ]);
}

/**
 * Prints the heads with which a channel was opened.
 *
 * @param {Conversation | undefined} conversation
 */
function printOpening(conversation) {
  must(conversation !== undefined, 'no channel was opened between the relays');
  for (const bytes of [conversation.sent, conversation.received]) {
    const { firstLine, fields } = headOf(bytes);
    printMessage(firstLine, fields, []);
  }
}

/**
 * Splits what was recorded behind the head of an HTTP message.
 *
 * @param {Buffer} bytes
 * @returns {{ firstLine: string, fields: string[], rest: Buffer }} the fields as names and values in turn
 */
function headOf(bytes) {
  const endAt = bytes.indexOf(HEAD_END);
  const [firstLine = '', ...lines] = bytes.toString('latin1', 0, endAt).split('\r\n');
  const fields = lines.flatMap((line) => line.split(/: (.*)/s, 2));
  return { firstLine, fields, rest: bytes.subarray(endAt + HEAD_END.length) };
}
