import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { performance } from 'node:perf_hooks';

const agent = new Agent({ keepAlive: true });

/**
 * Sends one request and reads its whole answer.
 *
 * @param request - `{ method, path, headers, body }`; nothing but `connection` is added to its headers
 * @returns status, raw headers, body, and how long it took
 */
export async function send(origin, { method, path, headers, body }) {
  const startedAt = performance.now();
  const outgoing = httpRequest(origin + path, { method, headers, agent });
  outgoing.end(body);
  const [answer] = await once(outgoing, 'response');
  const answerBody = Buffer.concat(await answer.toArray());
  return {
    statusLine: `HTTP/${answer.httpVersion} ${answer.statusCode} ${answer.statusMessage}`,
    status: answer.statusCode,
    rawHeaders: answer.rawHeaders,
    body: answerBody,
    ms: performance.now() - startedAt,
  };
}
