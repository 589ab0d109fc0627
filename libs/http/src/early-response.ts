import type { IncomingMessage, ServerResponse } from 'node:http';

import { flushHead } from './flush-head.js';
import { hasRequestBody } from './request-framing.js';

/** What is read and thrown away of a request that was answered before its end. protocol.md section 7. */
const MAX_DRAINED_BYTES = 4 * 1024 * 1024;
const MAX_DRAIN_MS = 2_000;

/**
 * Answers a request with a small body of our own. Where the request's body was not read to its end, the connection is
 * closed after it, but not at once: a client that is still sending would get a reset instead of the answer. So the
 * answer goes out whole while the rest of the request is thrown away, up to a limit, and then left on the wire.
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
 * For a streamed answer that was complete before its request: what is still coming is thrown away up to a limit, and
 * then the connection is closed, as nothing else could be read from it.
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
    // What the client has not read yet would be lost with the connection.
    if (response.writableFinished || response.destroyed) {
      close();
    } else {
      response.once('finish', close);
    }
  });
}

/** Throws away what is still coming of a request, up to a limit of bytes and of time. */
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
      // No more of it; but who is still writing has not read the answer yet, and a close would take that from him.
      request.off('data', onData).pause();
    }
  };
  const timer = setTimeout(finish, MAX_DRAIN_MS);
  request.removeAllListeners('readable');
  request.on('data', onData).on('end', finish).on('close', finish);
  request.resume();
}
