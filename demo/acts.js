import { randomBytes } from 'node:crypto';
import { checkReceived, must, mustEqual, requestLineOf, valuesOf } from './checks.js';
import { conversationOf, perform, requestThrough } from './exchange.js';
import { bytesText, hexDump, printLines, printMessage, printTitle } from './print.js';

/** @import { Exchange } from './exchange.js' */
/** @import { Scene } from './scene.js' */
/** @import { Conversation } from './tap.js' */

/**
 * An exchange, and by name the texts in it that must not be readable between the relays.
 *
 * @typedef {Exchange & { secrets: Record<string, string> }} Act
 */

const SHOWN_BYTES = 96;
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

  printTitle('2. This crosses from relay A to relay B');
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

  printTitle('5. The same with a file');
  printLines([
    `${requestLineOf(request)}, ${bytesText(request.body.length)}`,
    `${response.statusLine}, ${responseText}`,
  ]);
  checkReceived(request, received, scene.upstreamOrigin);
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
  const { sent } = conversation;
  const bodyAt = sent.indexOf(HEAD_END) + HEAD_END.length;
  const [requestLine = '', ...fields] = sent
    .toString('latin1', 0, bodyAt - HEAD_END.length)
    .split('\r\n');
  const sealed = sent.subarray(bodyAt);
  must(sealed.length > SHOWN_BYTES, 'the tunnel request has no sealed body');
  printMessage(
    requestLine,
    fields.flatMap((line) => line.split(/: (.*)/s, 2)),
    [
      ...hexDump(sealed, SHOWN_BYTES),
      `      … and ${bytesText(sealed.length - SHOWN_BYTES)} more, which contain the path, headers and body`,
    ],
  );
}
