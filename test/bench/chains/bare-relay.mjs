/**
 * A relay whose tunnel and outbound routes are registered with Fastify directly: the same server options, checks and
 * services, but nothing of Nest between Fastify's router and them. All other requests go to the normal relay.
 */
import { NestFactory } from '@nestjs/core';
import { EMPTY } from 'rxjs';

import { AppModule } from '#dist/apps/relay/src/app.module.js';
import { configureRelayApp, RELAY_APP_OPTIONS } from '#dist/apps/relay/src/app.factory.js';
import { RelayErrorFilter } from '#dist/apps/relay/src/errors/relay-error.filter.js';
import { InboundService } from '#dist/apps/relay/src/inbound/inbound.service.js';
import { ClientGuard } from '#dist/apps/relay/src/outbound/client.guard.js';
import { ClientWays } from '#dist/apps/relay/src/outbound/ways/client-ways.js';
import { OutboundService } from '#dist/apps/relay/src/outbound/outbound.service.js';
import { createRelayAdapter } from '#dist/apps/relay/src/server/relay-adapter.js';
import { OUTBOUND_ROUTE, TUNNEL_ROUTE } from '#dist/apps/relay/src/server/request-routing.js';
import { loadConfig } from '#dist/libs/config/src/index.js';
import { AcceptedKeys } from '#dist/libs/protocol/src/index.js';
import { RelayName, TunnelSenderInterceptor } from '#dist/libs/signature/src/index.js';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { ExecutionContext } from '@nestjs/common' */
/** @import { NestFastifyApplication } from '@nestjs/platform-fastify' */

const { config } = loadConfig();
const app = /** @type {NestFastifyApplication} */ (
  await NestFactory.create(
    AppModule.register(config),
    createRelayAdapter(config),
    RELAY_APP_OPTIONS,
  )
);
await configureRelayApp(app);

const adapter = createRelayAdapter(config);
const fastify = adapter.getInstance();
const errors = app.get(RelayErrorFilter);
const NO_MORE = { handle: () => EMPTY };

/**
 * @param {string} path
 * @param {(context: ExecutionContext) => unknown} check - Nest's guard or interceptor of the route; it uses only the
 *   request and the reply of its context
 * @param {(request: IncomingMessage, response: ServerResponse) => Promise<void>} handler
 */
function route(path, check, handler) {
  fastify.all(path, async (request, reply) => {
    const http = { getRequest: () => request, getResponse: () => reply };
    const context = /** @type {ExecutionContext} */ ({ switchToHttp: () => http });
    try {
      check(context);
      reply.hijack();
      await handler(request.raw, reply.raw);
    } catch (error) {
      errors.catch(error, context);
    }
  });
}

const sender = new TunnelSenderInterceptor(app.get(AcceptedKeys), app.get(RelayName));
const inbound = app.get(InboundService);
route(
  TUNNEL_ROUTE,
  (context) => sender.intercept(context, NO_MORE),
  (request, response) => inbound.receive(request, response),
);

const guard = new ClientGuard(app.get(ClientWays));
const outbound = app.get(OutboundService);
route(
  OUTBOUND_ROUTE,
  (context) => guard.canActivate(context),
  (request, response) => outbound.forward(request, response),
);

const { routing } = app.getHttpAdapter().getInstance();
fastify.all('*', (request, reply) => {
  reply.hijack();
  routing(request.raw, reply.raw);
});

await fastify.listen({ port: config.port, host: config.host });
