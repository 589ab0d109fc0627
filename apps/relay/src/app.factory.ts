import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RelayConfig } from '@relay/config';
import type { FastifyRequest } from 'fastify';

import { AppModule } from './app.module.js';
import { collectGarbageWhileReceiving } from './lifecycle/minor-gc.js';
import { FrameworkLog } from './telemetry/framework-log.js';
import { RelayLog } from './telemetry/relay-log.js';
import { recordOf } from './telemetry/request-record.js';
import { createRelayAdapter } from './server/relay-adapter.js';
import { TenantsService } from './upstream/tenants.service.js';

/** Without a body parser, bodies are not read until a handler reads them. */
export const RELAY_APP_OPTIONS: NestApplicationOptions = { bodyParser: false, bufferLogs: true };

/** Creates a relay that does not listen yet. */
export async function createRelayApp(config: RelayConfig): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config),
    createRelayAdapter(config),
    RELAY_APP_OPTIONS,
  );
  return configureRelayApp(app);
}

/** Completes an application, whether it comes from this factory or from Nest's testing module. */
export async function configureRelayApp(
  app: NestFastifyApplication,
): Promise<NestFastifyApplication> {
  const log = app.get(RelayLog);
  app.useLogger(new FrameworkLog(log));
  const config = app.get(RelayConfig);
  if (mayHandleCors(config)) {
    handleCors(app, config);
  }
  collectGarbageWhileReceiving();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

/** Whether any tenant, now or after a change of the directory, may have origins for which this relay handles CORS. */
function mayHandleCors({ corsOrigins, relayConfigFile, domainMap = [] }: RelayConfig): boolean {
  return (
    corsOrigins !== undefined ||
    relayConfigFile !== undefined ||
    domainMap.some((domain) => domain.corsOrigins !== undefined)
  );
}

function handleCors(app: NestFastifyApplication, config: RelayConfig): void {
  const tenants = app.get(TenantsService);
  app.enableCors({
    delegator: (request, done) => {
      done(null, corsOptions(request, config, tenants));
    },
  });
  // The plugin says that a response varies by origin whatever it is told for a request.
  const server = app.getHttpAdapter().getInstance();
  server.after(() => {
    server.addHook('onRequest', (request, reply, done) => {
      if (corsOptions(request, config, tenants).origin === false) {
        reply.removeHeader('vary');
      }
      done();
    });
  });
}

/**
 * How CORS is handled for a request: as its tenant says, which its host names, or as this relay's own clients have it. The
 * responses to these are the API's, whose fields stay unless CORS_ORIGINS is set.
 */
function corsOptions(request: FastifyRequest, config: RelayConfig, tenants: TenantsService) {
  const isOfClient = recordOf(request.raw).role === 'outbound';
  const tenant = isOfClient ? undefined : tenants.ofHost(request.headers.host ?? '');
  const { corsOrigins, corsMethods } = tenant?.settings ?? config;
  return corsOrigins === undefined
    ? { origin: false }
    : {
        origin: [...corsOrigins],
        methods: [...corsMethods],
        credentials: true,
        preflight: isPreflight(request),
      };
}

/** Whether an OPTIONS request is a CORS preflight. All others are forwarded to the upstream. */
function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}
