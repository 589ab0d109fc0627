import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RelayConfig } from '@relay/config';
import type { FastifyRequest } from 'fastify';

import { AppModule } from './app.module.js';
import { FrameworkLog } from './observability/framework-log.js';
import { RelayLog } from './observability/relay-log.js';
import { RelayMetrics } from './observability/relay-metrics.js';
import { RequestReports } from './observability/request-reports.js';
import { createRelayAdapter, type RelayAdapter } from './relay-adapter.js';
import { readCertificate } from './tls/certificate.js';

/** No parser: bodies stay on the wire until a handler asks for them. */
export const RELAY_APP_OPTIONS: NestApplicationOptions = { bodyParser: false, bufferLogs: true };

/** Starts a relay, not listening yet. */
export async function createRelayApp(config: RelayConfig): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config),
    createRelayAdapter(readCertificate(config)),
    RELAY_APP_OPTIONS,
  );
  return configureRelayApp(app);
}

/** What main and the tests do alike with an application, one from the factory, the other from the testing module. */
export async function configureRelayApp(
  app: NestFastifyApplication,
): Promise<NestFastifyApplication> {
  const log = app.get(RelayLog);
  app.useLogger(new FrameworkLog(log));
  const { corsOrigins, corsMethods } = app.get(RelayConfig);
  if (corsOrigins !== undefined) {
    const options = { origin: [...corsOrigins], methods: [...corsMethods], credentials: true };
    app.enableCors({
      delegator: (request, done) => {
        done(null, { ...options, preflight: isPreflight(request) });
      },
    });
  }
  // Nest types the adapter by its interface; it is the one that was given to it.
  const adapter = app.getHttpAdapter() as unknown as RelayAdapter;
  adapter.earlyAnswers.reports = app.get(RequestReports);
  app.get(RelayMetrics).openSockets.answerFor('listener', () => adapter.acceptedConnections);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

/** Any other OPTIONS is the upstream's to answer. */
function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}
