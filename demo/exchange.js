import { createHash } from 'node:crypto';
import { must, requestLineOf, within } from './checks.js';
import { send } from './client.js';

/** @import { DemoResponse } from './client.js' */
/** @import { Scene } from './scene.js' */
/** @import { Conversation } from './tap.js' */
/** @import { Report } from './upstream.js' */

/**
 * A request of the demo's client.
 *
 * @typedef {object} DemoRequest
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {Buffer} body
 * @property {string} sha256 - the digest of the body
 */

/**
 * A request with its response, the upstream's report, and what both taps recorded meanwhile.
 *
 * @typedef {object} Exchange
 * @property {DemoRequest} request
 * @property {DemoResponse} response
 * @property {Report} received
 * @property {Conversation[]} sealed
 * @property {Conversation[]} plain
 */

const RESPONSE_LIMIT_MS = 20_000;
const REPORT_LIMIT_MS = 20_000;
/** How messages, pairings and the openings of channels begin. */
const HTTP_REQUEST = /^(GET|POST) /;

/**
 * A client's request as in the README: what the API expects, and the two headers for relay A.
 *
 * @param {Scene} scene
 * @param {{ path: string, headers: Record<string, string>, body: Buffer }} request
 * @returns {DemoRequest}
 */
export function requestThrough(scene, { path, headers, body }) {
  return {
    method: 'POST',
    path,
    headers: {
      host: new URL(scene.originA).host,
      'x-mte-outbound-token': scene.outboundToken,
      'x-mte-upstream': scene.peerOrigin,
      ...headers,
      'content-length': String(body.length),
    },
    body,
    sha256: createHash('sha256').update(body).digest('hex'),
  };
}

/**
 * Sends a request to relay A and collects what was recorded of it at every point.
 *
 * @param {Scene} scene
 * @param {DemoRequest} request
 * @returns {Promise<Exchange>}
 */
export async function perform(scene, request) {
  const sealedMark = scene.sealedTap.mark;
  const plainMark = scene.plainTap.mark;
  const sent = await sendAndSee(scene, scene.originA, request);
  return {
    request,
    ...sent,
    sealed: scene.sealedTap.conversations(sealedMark),
    plain: scene.plainTap.conversations(plainMark),
  };
}

/**
 * Sends a request and waits for the response and the upstream's report.
 *
 * @param {Pick<Scene, 'upstream'>} scene
 * @param {string} origin - of relay A, or of the upstream itself
 * @param {DemoRequest} request
 * @returns {Promise<{ response: DemoResponse, received: Report }>}
 */
export async function sendAndSee({ upstream }, origin, request) {
  const what = `the response to ${requestLineOf(request)}`;
  const response = await within(RESPONSE_LIMIT_MS, what, send(origin, request));
  const { status, statusLine, body } = response;
  must(status < 300, `${origin} responded with ${statusLine} ${body}`);
  const report = upstream.nextReport();
  return { response, received: await within(REPORT_LIMIT_MS, "the upstream's report", report) };
}

/**
 * The number of bytes of conversations, in both directions.
 *
 * @param {Conversation[]} conversations
 */
export function totalBytes(conversations) {
  return conversations.reduce((sum, { sent, received }) => sum + sent.length + received.length, 0);
}

/**
 * The first conversation whose request begins with this line.
 *
 * @param {Conversation[]} conversations
 * @param {string} requestLine
 */
export function conversationOf(conversations, requestLine) {
  return conversations.find(({ sent }) => sent.indexOf(requestLine) === 0);
}

/**
 * Whether what crossed is one request over a channel that was open already, and nothing else.
 *
 * @param {Conversation[]} conversations
 */
export function isOverChannel(conversations) {
  const [only, ...others] = conversations;
  return (
    only !== undefined &&
    others.length === 0 &&
    !HTTP_REQUEST.test(only.sent.toString('latin1', 0, 8))
  );
}
