import { METHODS, type IncomingMessage, type Server } from 'node:http';

import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';

import { doorOf } from './door.js';
import { EarlyAnswers } from './errors/early-answers.js';
import { hasRightHost } from './host-field.js';
import { closePipelinedResponses } from './pipelined-responses.js';
import { requestIdOf } from './request-id.js';
import { secureContextOptions, type Certificate } from './tls/certificate.js';

/** A head of 64 KiB, with room for what belongs to the connection alone. */
const MAX_HEADER_BYTES = 80 * 1024;
const HEADERS_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Above the 4 s after which relays let go of idle connections, and above the usual 60 s of load balancers. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** As undici has it on the connections that this relay makes. */
const KEEP_ALIVE_PROBE_MS = 60_000;

const HTTP_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
  // Asked for below, where the answer has the shape of every error.
  requireHostHeader: false,
  // What a silent event stream has instead of a limit: a client that vanished is noticed in the end.
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
};

/** Nest's adapter, with what of the HTTP server below it others have to know. */
export class RelayAdapter extends FastifyAdapter {
  private accepted = 0;

  constructor(
    options: FastifyHttpOptions<Server>,
    readonly earlyAnswers: EarlyAnswers,
    /** Undefined where the listener speaks plain HTTP. */
    readonly certificate: Certificate | undefined,
  ) {
    super(options);
    this.getInstance().server.on('connection', (socket) => {
      this.accepted += 1;
      socket.once('close', () => {
        this.accepted -= 1;
      });
    });
  }

  /** Connections that are open at this moment. */
  get acceptedConnections(): number {
    return this.accepted;
  }
}

/**
 * The HTTP server of a relay: its doors, its limits, and what it says to requests that never reach a controller.
 *
 * @param certificate - what the listener speaks HTTPS with; undefined for plain HTTP
 */
export function createRelayAdapter(certificate?: Certificate): RelayAdapter {
  const earlyAnswers = new EarlyAnswers();
  const options = {
    logger: false,
    rewriteUrl: (request: IncomingMessage) => doorOf(request),
    genReqId: ({ headers }: { headers: IncomingMessage['headers'] }) => requestIdOf(headers),
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Long uploads are legal: idle limits of our own end what stands still.
    requestTimeout: 0,
    ...serverOptions(certificate),
    clientErrorHandler: earlyAnswers.unparsable,
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack();
      earlyAnswers.unroutable(request.raw, reply.raw, request.id);
    },
  };
  const adapter = new RelayAdapter(options, earlyAnswers, certificate);
  // Fastify then hands every request on without looking at its body, whatever the method.
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    adapter.getInstance().addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    if (hasRightHost(request.raw)) {
      done();
      return;
    }
    reply.hijack();
    earlyAnswers.host(request.raw, reply.raw, request.id);
  });
  // As bytes: a socket does not keep UTF-8 as the encoding of strings, see flushHead.
  adapter.getInstance().addHook('onSend', (_request, _reply, payload, done) => {
    done(null, typeof payload === 'string' ? Buffer.from(payload) : payload);
  });
  const { server } = adapter.getInstance();
  // Node.js would drop fields beyond 2,000 without a word; their bytes are limited, and those that go on are counted.
  server.maxHeadersCount = 0;
  closePipelinedResponses(server);
  server.on('checkExpectation', earlyAnswers.expectation);
  server.on('connect', earlyAnswers.connect);
  return adapter;
}

/** To Fastify's types a server of HTTPS is another kind; all that is done with it here is the same. */
function serverOptions(certificate: Certificate | undefined): FastifyHttpOptions<Server> {
  if (certificate === undefined) {
    return { http: HTTP_OPTIONS };
  }
  const tls = { ...secureContextOptions(certificate), handshakeTimeout: HEADERS_TIMEOUT_MS };
  return { https: { ...HTTP_OPTIONS, ...tls } } as FastifyHttpOptions<Server>;
}
