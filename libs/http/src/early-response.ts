import type { IncomingMessage, ServerResponse } from 'node:http';

import { lingeringClose } from './lingering-close.js';
import { hasRequestBody } from './request-framing.js';

/**
 * Sends a response with a body that the relay itself has made. If the request has not ended, the response announces that the
 * connection will close.
 */
export function sendWholeResponse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const content = Buffer.from(body);
  response.writeHead(status, {
    ...headers,
    'content-length': String(content.length),
    ...(isUnfinished(request) ? { connection: 'close' } : {}),
  });
  response.end(content);
  endRequestEarly(request);
}

/**
 * Whether a part of the request is still to come. The response to such a request must announce that its connection will close:
 * the next request would begin at a place that may never be reached.
 */
export function isUnfinished(request: IncomingMessage): boolean {
  return !request.complete && hasRequestBody(request);
}

/**
 * Discards what is still to come of a request. Call it in the same turn in which its response was ended, because Node.js closes
 * the connection soon after.
 */
export function endRequestEarly(request: IncomingMessage): void {
  if (isUnfinished(request)) {
    lingeringClose(request.socket);
  }
}
