import type { AddressInfo } from 'node:net';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { describeConfig, type LoadedConfig } from '@relay/config';

import { DirectoryService } from '../directory/directory.service.js';
import { logLastError } from '../telemetry/last-error.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { listeningOrigin } from './listening-origin.js';
import { PrimaryLink } from './primary-link.js';
import { outliveReloads } from './reload-signal.js';
import { Shutdown } from './shutdown.js';

/** Runs a relay in this process, which is the only process of the relay or one of several workers. */
export async function runRelay(
  app: NestFastifyApplication,
  { config, warnings }: LoadedConfig,
): Promise<void> {
  const log = app.get(RelayLog);
  const primary = app.get(PrimaryLink);
  // The primary logs the warnings once for all of its workers.
  for (const warning of primary.isThere ? [] : warnings) {
    log.warn(warning);
  }
  logLastError(log);
  new Shutdown(app).onSignals();
  outliveReloads(config, primary, log);
  await app.listen(config.port, config.host);
  const server = app.getHttpServer();
  const { peers, entries } = app.get(DirectoryService).current;
  const { clients, tenants } = entries;
  const protocol = config.tlsCertFile === undefined ? 'http' : 'https';
  log.info('relay is listening', {
    address: listeningOrigin(protocol, server.address() as AddressInfo),
    // Of many peers, each has its own.
    keyId: peers.length === 1 ? peers[0]?.keys.current.kid : undefined,
    directory: { peers: peers.length, clients: clients.length, tenants: tenants.length },
    config: describeConfig(config),
  });
  primary.reportListening();
}
