import { randomBytes } from 'node:crypto';
import { checkReceived, must, mustEqual, requestLineOf, valuesOf } from './checks.js';
import { conversationOf, perform, requestThrough } from './exchange.js';
import { bytesText, hexDump, printLines, printMessage, printTitle } from './print.js';

const SHOWN_BYTES = 96;
const FILE_BYTES = 1024 * 1024;
const HEAD_END = '\r\n\r\n';

const freshCanary = () => `canary-${randomBytes(9).toString('hex')}`;

/** Sends the README's login request and shows it at every place that it passes. */
export async function showLogin(scene) {
  const canary = freshCanary();
  const password = randomBytes(12).toString('base64url');
  const request = requestThrough(scene, {
    path: '/api/login',
    headers: { 'content-type': 'application/json', 'x-demo': canary },
    body: Buffer.from(JSON.stringify({ username: 'ada', password })),
  });
  const { answer, received, ...wire } = await perform(scene, request);

  printTitle('1. The client sends this to relay A');
  const fields = Object.entries(request.headers).flat();
  printMessage(requestLineOf(request), fields, [request.body.toString()]);

  printTitle('2. This is what crosses from relay A to relay B');
  printSealed(conversationOf(wire.sealed, 'POST /api/mte-tunnel HTTP/1.1'));

  printTitle('3. The upstream receives this from relay B');
  printMessage(received.requestLine, received.rawHeaders, [received.bodyStart]);
  checkReceived(request, received, scene.upstreamOrigin);

  printTitle('4. The client gets this back');
  const answerText = answer.body.toString().trim();
  printMessage(answer.statusLine, answer.rawHeaders, [answerText]);
  mustEqual('the status of the login', answer.status, 200);
  mustEqual('the number of cookies', valuesOf(answer.rawHeaders, 'set-cookie').length, 2);

  return {
    request,
    ...wire,
    secrets: {
      'the path /api/login': '/api/login',
      'the password': password,
      'the value of x-demo': canary,
      'the session token in the answer': JSON.parse(answerText).sessionToken,
    },
  };
}

/** Uploads a file, and compares what the upstream says it got. */
export async function showUpload(scene) {
  const canary = freshCanary();
  const path = `/api/files/${canary}.txt`;
  const request = requestThrough(scene, {
    path,
    headers: { 'content-type': 'text/plain' },
    body: Buffer.alloc(FILE_BYTES, `Every line of this file says ${canary}.\n`),
  });
  const { answer, received, ...wire } = await perform(scene, request);

  printTitle('5. The same with a file');
  printLines([
    `${requestLineOf(request)}, ${bytesText(request.body.length)}`,
    `${answer.statusLine}, ${answer.body.toString().trim()}`,
  ]);
  checkReceived(request, received, scene.upstreamOrigin);
  mustEqual('the status of the upload', answer.status, 201);
  mustEqual('the digest in the answer', JSON.parse(answer.body).sha256, request.sha256);
  printLines(['', 'The digest is that of the file which the client sent.']);

  return { request, ...wire, secrets: { "the file's name and lines": canary } };
}

/** The outer head as it is, and the first bytes of the body. */
function printSealed(conversation) {
  must(conversation !== undefined, 'no tunnel request crossed between the relays');
  const { sent } = conversation;
  const bodyAt = sent.indexOf(HEAD_END) + HEAD_END.length;
  const [requestLine, ...fields] = sent
    .toString('latin1', 0, bodyAt - HEAD_END.length)
    .split('\r\n');
  const sealed = sent.subarray(bodyAt);
  must(sealed.length > SHOWN_BYTES, 'the tunnel request has no sealed body');
  printMessage(
    requestLine,
    fields.flatMap((line) => line.split(/: (.*)/s, 2)),
    [
      ...hexDump(sealed, SHOWN_BYTES),
      `      … and ${bytesText(sealed.length - SHOWN_BYTES)} more; path, headers and body are in there`,
    ],
  );
}
