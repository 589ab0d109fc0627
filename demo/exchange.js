import { createHash } from 'node:crypto';
import { must, requestLineOf, within } from './checks.js';
import { send } from './client.js';

const ANSWER_LIMIT_MS = 20_000;
const REPORT_LIMIT_MS = 5_000;

/** A client's request as the README writes it: what the API expects, and the two headers for relay A. */
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

/** Sends a request to relay A, and tells what was seen of it at every place. */
export async function perform(scene, request) {
  const marks = [scene.sealedTap.mark, scene.plainTap.mark];
  const sent = await sendAndSee(scene, scene.originA, request);
  return {
    request,
    ...sent,
    sealed: scene.sealedTap.conversations(marks[0]),
    plain: scene.plainTap.conversations(marks[1]),
  };
}

/** Sends a request, and waits for what the upstream says of it. */
export async function sendAndSee({ upstream }, origin, request) {
  const what = `the answer to ${requestLineOf(request)}`;
  const answer = await within(ANSWER_LIMIT_MS, what, send(origin, request));
  const { statusLine, body } = answer;
  must(answer.status < 300, `${origin} answered ${statusLine} ${body}`);
  const report = upstream.nextReport();
  return { answer, received: await within(REPORT_LIMIT_MS, "the upstream's report", report) };
}

/** Bytes of conversations, both ways. */
export function totalBytes(conversations) {
  return conversations.reduce((sum, { sent, received }) => sum + sent.length + received.length, 0);
}

/** The first conversation whose request has this line. */
export function conversationOf(conversations, requestLine) {
  return conversations.find(({ sent }) => sent.indexOf(requestLine) === 0);
}
