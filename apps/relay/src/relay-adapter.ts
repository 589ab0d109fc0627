import { randomUUID } from 'node:crypto';
import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { FastifyAdapter } from '@nestjs/platform-fastify';
import { sendWholeAnswer } from '@relay/http';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { doorOf } from './door.js';
import { ERROR_CONTENT_TYPE, errorBody } from './errors/error-body.js';

/** A head of 64 KiB, with room for what belongs to the connection alone. */
const MAX_HEADER_BYTES = 80 * 1024;
const HEADERS_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Above the 4 s after which relays let go of idle connections, and above the usual 60 s of load balancers. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** The HTTP server of a relay: its doors, its limits, and what it says to requests that never reach a controller. */
export function createRelayAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    logger: false,
    rewriteUrl: (request: IncomingMessage) => doorOf(request),
    genReqId: ({ headers }: { headers: IncomingMessage['headers'] }) =>
      requestIdOf(headers['x-request-id']),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Long uploads are legal: idle limits of our own end what stands still.
    requestTimeout: 0,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    clientErrorHandler: answerUnparsable,
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      answerUnroutable(request.raw, reply.raw, request.id);
    },
  });
  // Fastify then hands every request on without looking at its body, whatever the method.
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    adapter.getInstance().addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  return adapter;
}

function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** A path of the relay's own endpoints that the router cannot decode; the router's own answer would repeat it. */
function answerUnroutable(request: IncomingMessage, response: ServerResponse, id: string): void {
  const body = errorBody('RELAY_REQUEST_INVALID', 'the request target cannot be read', 'no', id);
  sendWholeAnswer(request, response, 400, { 'content-type': ERROR_CONTENT_TYPE }, body);
}

/** What Node.js could not parse has no request and no response, only a socket. */
function answerUnparsable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = unparsableAnswer(error.code);
  const body = errorBody(code, 'the request cannot be parsed', 'no', randomUUID());
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: ${ERROR_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function unparsableAnswer(code = ''): [statusLine: string, code: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'RELAY_REQUEST_TOO_LARGE'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'RELAY_REQUEST_TIMEOUT'];
    default:
      return ['400 Bad Request', 'RELAY_REQUEST_INVALID'];
  }
}
