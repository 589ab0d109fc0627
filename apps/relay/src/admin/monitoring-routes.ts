import { HttpException, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';

import { HealthService } from '../health/health.service.js';
import { PrimaryLink } from '../lifecycle/primary-link.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';

const FOR_PROBES = { config: { isForProbes: true } };

/** What programs ask for: metrics and health. */
@Injectable()
export class MonitoringRoutes {
  constructor(
    private readonly metrics: RelayMetrics,
    private readonly primary: PrimaryLink,
    private readonly health: HealthService,
  ) {}

  addTo(server: FastifyInstance): void {
    server.get('/metrics', async (_request, reply) => {
      const text = await this.primary.allMetrics();
      return reply.type(this.metrics.registry.contentType).send(text);
    });
    server.get('/health/live', FOR_PROBES, (_request, reply) =>
      sendHealth(reply, this.health.live()),
    );
    server.get('/health/ready', FOR_PROBES, (_request, reply) =>
      sendHealth(reply, this.health.ready()),
    );
  }
}

async function sendHealth(reply: FastifyReply, check: Promise<unknown>): Promise<FastifyReply> {
  try {
    return await reply.send(await check);
  } catch (error) {
    if (error instanceof HttpException) {
      return reply.code(error.getStatus()).send(error.getResponse());
    }
    throw error;
  }
}
