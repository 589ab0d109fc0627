import type { IncomingMessage, ServerResponse } from 'node:http';

import { flushHead } from './flush-head.js';
import { hasRequestBody } from './request-framing.js';

/** How much of a request is read and discarded after an early response. protocol.md section 7. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;
const MAX_DRAIN_MS = 2_000;

/**
 * Sends a response with a small body that the relay itself has made. If the body of the request was not read to its end, the
 * connection is closed afterwards, but not immediately: a client that is still sending would receive a reset instead of the
 * response. The whole response is sent first, while the rest of the request is read and discarded, up to a limit.
 */
export function sendWholeResponse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const content = Buffer.from(body);
  const isUnread = !request.complete && hasRequestBody(request);
  response.writeHead(status, {
    ...headers,
    'content-length': String(content.length),
    ...(isUnread ? { connection: 'close' } : {}),
  });
  if (!isUnread) {
    response.end(content);
    return;
  }
  flushHead(response);
  if (content.length > 0 && request.method !== 'HEAD') {
    response.write(content);
  }
  drain(request, () => {
    response.end();
  });
}

/**
 * Ends a request whose streamed response was complete before it. The rest of the request is read and discarded, up to a limit;
 * beyond that, the connection is closed, because no further request could be read from it.
 */
export function endRequestEarly(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || request.destroyed) {
    return;
  }
  const close = (): void => {
    if (!request.complete) {
      request.destroy();
    }
  };
  drain(request, () => {
    request.pause();
    // Closing the connection earlier would discard what the client has not read yet.
    if (response.writableFinished || response.destroyed) {
      close();
    } else {
      response.once('finish', close);
    }
  });
}

/** Reads and discards the rest of a request, up to a limit on bytes and on time. */
export function drain(request: IncomingMessage, onDone: () => void): void {
  let drained = 0;
  const finish = (): void => {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    onDone();
  };
  const onData = (chunk: Buffer): void => {
    drained += chunk.length;
    if (drained > MAX_DRAINED_BYTES) {
      // Stop reading, but do not close yet: a client that is still writing has not read the response, and would lose it.
      request.off('data', onData).pause();
    }
  };
  const timer = setTimeout(finish, MAX_DRAIN_MS);
  request.removeAllListeners('readable');
  request.on('data', onData).on('end', finish).on('close', finish);
  request.resume();
}
