import { createServer, type Server } from 'node:http';

import type { RelayConfig } from '@relay/config';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

import { RateLimiter } from '../admission/rate-limiter.js';
import { hasRightHost } from '../server/host-field.js';
import type { RelayLog } from '../telemetry/relay-log.js';
import { senderNetwork } from '../telemetry/sender-network.js';
import type { AdminConnections } from './admin-connections.js';
import { AdminToken } from './admin-token.js';
import { HostCheck } from './host-check.js';
import { SECURITY_FIELDS } from './security-fields.js';
import { refuseUnparsable } from './unparsable.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether anybody may ask for it, under any host: of probes, which have no password and call by address or service name. */
    readonly isForProbes?: boolean;
  }
}

const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** Nothing here reads a body. */
const REQUEST_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Longer than the usual minute between two scrapes. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** How long a client may leave a response unread. */
const STALLED_TIMEOUT_MS = 60_000;

/** Log lines of each network: enough to be seen, and too few to fill a disk. */
const GUESS_LINES_PER_MINUTE = 10;
const CLOCK = { monotonicMs: () => performance.now() };

const ALLOWED_METHODS: readonly string[] = ['GET', 'HEAD'];

/** Why a request is refused. */
interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** The HTTP server of operators, without any route yet: what it accepts, from whom, and what all of its responses have. */
export function createAdminServer(
  config: RelayConfig,
  connections: AdminConnections,
  log: RelayLog,
): FastifyInstance {
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    return503OnClosing: false,
    serverFactory: (handler) => {
      const created = createHttpServer(handler);
      connections.watch(created);
      return created;
    },
    clientErrorHandler: (error, socket) => {
      log.debug('the admin listener refused a connection', { error });
      refuseUnparsable(error, socket);
    },
    frameworkErrors: (error, _request: FastifyRequest, reply: FastifyReply) => {
      log.debug('the admin listener refused a request', { error });
      void reply
        .headers(SECURITY_FIELDS)
        .code(400)
        .send({ error: 'the request target cannot be decoded' });
    },
  });
  const refusalOf = checksOf(config);
  const guesses = new RateLimiter(GUESS_LINES_PER_MINUTE, CLOCK);
  server.addHook('onRequest', (request, reply, done) => {
    void reply.headers(SECURITY_FIELDS);
    const refusal = refusalOf(request);
    if (refusal === undefined) {
      done();
      return;
    }
    const { status, error, fields = {} } = refusal;
    const isGuess = status === 401 && request.headers.authorization !== undefined;
    const isLogged = isGuess && guesses.tryTake(senderNetwork(request.socket));
    log[isLogged ? 'warn' : 'debug']('the admin listener refused a request', {
      status,
      reason: isGuess ? 'the password is not ADMIN_TOKEN' : error,
      address: request.socket.remoteAddress,
    });
    // Whatever body the request has is not read.
    void reply
      .code(status)
      .headers({ ...fields, connection: 'close' })
      .send({ error });
  });
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({
      error:
        'only /, /troubleshooting.html, /summary, /status.json, /events, /metrics, /health/live and /health/ready exist',
    }),
  );
  server.setErrorHandler<Error & { readonly statusCode?: number }>((error, _request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode < 500) {
      return reply.code(statusCode).send({ error: 'the request cannot be served' });
    }
    log.error('the admin listener failed', { error });
    return reply.code(500).send({ error: 'internal error; see the log of the relay' });
  });
  return server;
}

function createHttpServer(handler: Parameters<typeof createServer>[1]): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Checked below, where the response has the form of all others.
      requireHostHeader: false,
    },
    handler,
  );
  server.setTimeout(STALLED_TIMEOUT_MS);
  return server;
}

function checksOf({ adminHost, adminToken, adminAllowedHosts }: RelayConfig) {
  const hosts = new HostCheck(adminAllowedHosts, adminHost);
  const token = adminToken === undefined ? undefined : new AdminToken(adminToken);
  return ({ raw, routeOptions, method, headers }: FastifyRequest): Refusal | undefined => {
    if (!ALLOWED_METHODS.includes(method)) {
      const fields = { allow: ALLOWED_METHODS.join(', ') };
      return { status: 405, error: 'only GET and HEAD are supported', fields };
    }
    if (!hasRightHost(raw)) {
      return { status: 400, error: 'the request does not have exactly one host field' };
    }
    if (raw.url?.startsWith('/') !== true) {
      return { status: 400, error: 'the request target must begin with a slash' };
    }
    if (routeOptions.config.isForProbes === true) {
      return undefined;
    }
    if (!hosts.hasAllowedHost(raw)) {
      return {
        status: 421,
        error:
          'host is neither localhost, the address that the request arrived at, nor one of ADMIN_ALLOWED_HOSTS',
      };
    }
    if (hosts.isOfForeignPage(raw)) {
      return { status: 403, error: 'a page of another site sends this' };
    }
    if (token?.isIn(headers.authorization) === false) {
      const fields = { 'www-authenticate': 'Basic realm="relay", charset="UTF-8"' };
      return { status: 401, error: 'the password is ADMIN_TOKEN, with any user name', fields };
    }
    return undefined;
  };
}
