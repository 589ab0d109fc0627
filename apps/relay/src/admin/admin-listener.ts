import type { AddressInfo } from 'node:net';

import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { FastifyInstance } from 'fastify';

import { listeningOrigin } from '../lifecycle/listening-origin.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { AdminConnections } from './admin-connections.js';
import { AdminEndpoints } from './admin-endpoints.js';
import { createAdminServer } from './admin-server.js';
import { StatusEvents } from './status-events.js';

/**
 * Serves the page, `/metrics` and `/health/*` to operators, on a separate port that clients and other relays do not reach. It
 * listens only if ADMIN_PORT is set.
 */
@Injectable()
export class AdminListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: FastifyInstance | undefined;

  constructor(
    private readonly config: RelayConfig,
    private readonly endpoints: AdminEndpoints,
    private readonly connections: AdminConnections,
    private readonly events: StatusEvents,
    private readonly log: RelayLog,
  ) {}

  /** @throws Error if the port is in use */
  async onApplicationBootstrap(): Promise<void> {
    const { adminPort, adminHost } = this.config;
    if (adminPort === undefined) {
      return;
    }
    const server = createAdminServer(this.config, this.connections, this.log);
    this.server = server;
    await this.endpoints.addTo(server);
    await server.listen({ port: adminPort, host: adminHost });
    const address = listeningOrigin('http', server.server.address() as AddressInfo);
    this.log.info('admin listener is listening', { address });
  }

  /** Closed after everything else, so that readiness can be queried, and the page watched, while requests drain. */
  async onApplicationShutdown(): Promise<void> {
    this.events.end();
    await this.server?.close();
  }
}
