import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import {
  HttpException,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { HealthService } from '../health/health.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { listeningOrigin } from '../lifecycle/listening-origin.js';
import { PrimaryLink } from '../lifecycle/primary-link.js';

const JSON_TYPE = 'application/json; charset=utf-8';

interface AdminResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Serves `/metrics` and `/health/*` to operators, on a separate port that clients and other relays do not reach. It listens
 * only if ADMIN_PORT is set.
 */
@Injectable()
export class AdminListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly config: RelayConfig,
    private readonly metrics: RelayMetrics,
    private readonly primary: PrimaryLink,
    private readonly health: HealthService,
    private readonly log: RelayLog,
  ) {}

  /** @throws Error if the port is in use */
  async onApplicationBootstrap(): Promise<void> {
    const { adminPort, adminHost } = this.config;
    if (adminPort === undefined) {
      return;
    }
    this.server = createServer((request, response) => void this.respond(request, response));
    this.server.listen(adminPort, adminHost);
    await once(this.server, 'listening');
    const address = listeningOrigin('http', this.server.address() as AddressInfo);
    this.log.info('admin listener is listening', { address });
  }

  /** Closed after everything else, so that readiness can be queried while requests drain. */
  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.responseTo(request).catch((error: unknown) => {
      this.log.error('the admin listener failed', { error });
      return json(500, { error: 'internal error; see the log of the relay' });
    });
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    });
    response.end(body);
  }

  private async responseTo({ method, url = '' }: IncomingMessage): Promise<AdminResponse> {
    if (method !== 'GET' && method !== 'HEAD') {
      return json(405, { error: 'only GET and HEAD are supported' });
    }
    switch (url) {
      case '/metrics': {
        const { contentType } = this.metrics.registry;
        return { status: 200, contentType, body: await this.primary.report() };
      }
      case '/health/live':
        return this.healthResponse(this.health.live());
      case '/health/ready':
        return this.healthResponse(this.health.ready());
      default:
        return json(404, { error: 'only /metrics, /health/live and /health/ready exist' });
    }
  }

  private async healthResponse(check: Promise<unknown>): Promise<AdminResponse> {
    try {
      return json(200, await check);
    } catch (error) {
      if (error instanceof HttpException) {
        return json(error.getStatus(), error.getResponse());
      }
      throw error;
    }
  }
}

function json(status: number, body: unknown): AdminResponse {
  return { status, contentType: JSON_TYPE, body: JSON.stringify(body) };
}
