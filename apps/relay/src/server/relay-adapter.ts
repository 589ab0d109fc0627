import { once } from 'node:events';
import {
  createServer,
  METHODS,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { ListenOptions } from 'node:net';

import type { RelayConfig } from '@relay/config';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyHttpOptions, FastifyReply, FastifyRequest } from 'fastify';

import { beginRecord, recordOf } from '../telemetry/request-record.js';
import { readCertificate, secureContextOptions, type Certificate } from './certificate.js';
import { Connections } from './connections.js';
import { EarlyRefusals, MAX_PARAMETER_LENGTH } from './early-refusals.js';
import type { Entrance } from './entrance.js';
import { MAX_FIELDS, hasTooManyFields } from './field-limit.js';
import { hasRightHost } from './host-field.js';
import { listenWithWorkers } from './listen-with-workers.js';
import { requestIdOf } from './request-id.js';
import { routingOf } from './request-routing.js';
import { passRequestsInTurn } from './requests-in-turn.js';
import { relayRequests, routeUpgrades } from './upgrades.js';

/** Room for a head of 64 KiB and the fields of the connection itself. */
const MAX_HEADER_BYTES = 80 * 1024;
const HEADERS_TIMEOUT_MS = 15_000;
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Longer than the 4 s after which relays close idle connections, and than the usual 60 s of load balancers. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** The interval that undici uses on this relay's outgoing connections. */
const KEEP_ALIVE_PROBE_MS = 60_000;

/** How often to look for idle connections of a listener that ends. */
const IDLE_CHECK_INTERVAL_MS = 500;

const HTTP_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
  // Checked below, where the response has the form of every error response.
  requireHostHeader: false,
  // A silent event stream has no other limit: the probes eventually reveal that its client has vanished.
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
};

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** Nest's Fastify adapter, with what other modules need to know about the HTTP servers below it. */
export class RelayAdapter extends FastifyAdapter {
  /** The connections of all servers. */
  readonly connections = new Connections();
  /** Those besides the shared one; each that ends with the moment when it has. */
  private readonly listeners = new Map<Server, Promise<void> | undefined>();

  constructor(
    options: FastifyHttpOptions<Server>,
    readonly earlyRefusals: EarlyRefusals,
    /** Undefined if the listener speaks plain HTTP. */
    readonly certificate: Certificate | undefined,
    /** Where the requests of the server come in that everybody shares. */
    readonly entrance: { isProxy: boolean },
  ) {
    super(options);
  }

  /**
   * Opens a listener of plain HTTP besides the shared one, whose requests take the same way.
   *
   * @param protocols - that clients may ask for, in lower case
   * @param inUse - what requests wait for that come in at once
   * @throws Error of Node.js if it cannot be opened
   */
  async openListener(
    at: ListenOptions,
    entrance: Entrance,
    protocols: readonly string[],
    inUse: Promise<void>,
  ): Promise<Server> {
    // Until then, requests would be routed without what is checked before.
    await this.getInstance().ready();
    const server = createServer({
      ...HTTP_OPTIONS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      requestTimeout: 0,
      IncomingMessage: relayRequests(protocols, entrance),
    });
    let route: Route = (request, response) => {
      void inUse.then(() => {
        this.route(request, response);
      });
    };
    void inUse.then(() => {
      route = this.route;
    });
    server.on('request', (request, response) => {
      route(request, response);
    });
    server.on('clientError', (error: Error, socket) => {
      this.earlyRefusals.unparsable(error, socket);
    });
    this.equip(server, (request, response) => {
      route(request, response);
    });
    try {
      listenWithWorkers(server, at);
      await once(server, 'listening');
    } catch (error) {
      this.connections.forget(server);
      throw error;
    }
    // One connection that cannot be accepted must not end the process.
    server.on('error', (error) => {
      this.earlyRefusals.emit('lost', error);
    });
    this.listeners.set(server, undefined);
    return server;
  }

  /** Accepts no more connections at a listener. Resolves once those that it has are closed, which may wait for their requests. */
  closeListener(server: Server): Promise<void> {
    const closed = this.listeners.get(server) ?? this.endListener(server);
    this.listeners.set(server, closed);
    return closed;
  }

  override async close(): Promise<void> {
    await Promise.all([
      super.close(),
      ...[...this.listeners.keys()].map((server) => this.closeListener(server)),
    ]);
  }

  /** Gives a server what Fastify leaves to Node.js. Its listeners for requests must be there already. */
  equip(server: Server, route = this.route): void {
    // Node.js silently drops fields beyond this number. A request that has so many is refused, so none is forwarded without them.
    server.maxHeadersCount = MAX_FIELDS + 1;
    passRequestsInTurn(server);
    this.connections.watch(server);
    routeUpgrades(server, route);
    server.on('checkExpectation', (request: IncomingMessage, response) => {
      beginRequest(request);
      this.earlyRefusals.expectation(request, response);
    });
    server.on('connect', (request: IncomingMessage, socket) => {
      beginRequest(request);
      this.earlyRefusals.connect(request, socket);
    });
  }

  private readonly route: Route = (request, response) => {
    this.getInstance().routing(request, response);
  };

  private async endListener(server: Server): Promise<void> {
    this.connections.announceEnd(server);
    const idleCheck = setInterval(() => {
      this.connections.closeIdle();
    }, IDLE_CHECK_INTERVAL_MS);
    await new Promise((resolve) => server.close(resolve));
    clearInterval(idleCheck);
    this.listeners.delete(server);
  }
}

/**
 * The HTTP server of a relay: its routing, its limits, and its responses to requests that never reach a controller. With a
 * certificate it speaks HTTPS.
 */
export function createRelayAdapter(config: RelayConfig): RelayAdapter {
  const certificate = readCertificate(config);
  const earlyRefusals = new EarlyRefusals();
  const entrance = { isProxy: false };
  const adapter = new RelayAdapter(
    {
      logger: false,
      routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
      rewriteUrl: beginRequest,
      genReqId: (request: IncomingMessage) => recordOf(request).requestId,
      forceCloseConnections: 'idle' as const,
      return503OnClosing: false,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Long uploads are legitimate; the relay's own idle limits end those that stall.
      requestTimeout: 0,
      ...serverOptions(config, certificate, entrance),
      clientErrorHandler: (error: Error, socket) => {
        earlyRefusals.unparsable(error, socket);
      },
      frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply.hijack();
        earlyRefusals.unroutable(request.raw, reply.raw);
      },
    },
    earlyRefusals,
    certificate,
    entrance,
  );
  const fastify = adapter.getInstance();
  // Registered as methods without a body, so that Fastify passes every request on without reading its body.
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = earlyRefusalOf(request.raw);
    if (refusal === undefined) {
      done();
      return;
    }
    reply.hijack();
    earlyRefusals[refusal](request.raw, reply.raw);
  });
  // Strings are converted to bytes, because a socket may have another default encoding than UTF-8; see flushHead.
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (!reply.hasHeader('cache-control')) {
      reply.header('cache-control', 'no-store');
    }
    done(null, typeof payload === 'string' ? Buffer.from(payload) : payload);
  });
  adapter.equip(fastify.server);
  return adapter;
}

/** Why a request that Node.js has accepted is refused before it is routed. */
function earlyRefusalOf(
  request: IncomingMessage,
): 'version' | 'fields' | 'host' | 'framing' | undefined {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    return 'version';
  }
  if (hasTooManyFields(request)) {
    return 'fields';
  }
  if (!hasRightHost(request)) {
    return 'host';
  }
  // Node.js takes it for no coding at all, and another server may not.
  return request.headers['transfer-encoding']?.trim() === '' ? 'framing' : undefined;
}

/** Begins the record of a request. @returns the route to look up instead of its path */
function beginRequest(request: IncomingMessage): string {
  const { role, route } = routingOf(request);
  beginRecord(request, requestIdOf(request.headers), role);
  return route;
}

/** Fastify has a different type for HTTPS servers, although everything that is done with the server here is the same. */
function serverOptions(
  { upgradeProtocols }: RelayConfig,
  certificate: Certificate | undefined,
  entrance: Entrance,
): FastifyHttpOptions<Server> {
  const http = { ...HTTP_OPTIONS, IncomingMessage: relayRequests(upgradeProtocols, entrance) };
  if (certificate === undefined) {
    return { http };
  }
  const tls = { ...secureContextOptions(certificate), handshakeTimeout: HEADERS_TIMEOUT_MS };
  return { https: { ...http, ...tls } } as FastifyHttpOptions<Server>;
}
