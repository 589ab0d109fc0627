import { randomUUID } from 'node:crypto';
import { METHODS, type IncomingMessage } from 'node:http';

import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { doorOf } from './door.js';
import { closePipelinedResponses } from './pipelined-responses.js';
import {
  answerConnect,
  answerExpectation,
  answerUnparsable,
  answerUnroutable,
} from './errors/early-answers.js';

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
  const { server } = adapter.getInstance();
  closePipelinedResponses(server);
  server.on('checkExpectation', answerExpectation);
  server.on('connect', answerConnect);
  return adapter;
}

function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
