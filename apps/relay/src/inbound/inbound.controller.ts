import { All, Controller, Req, Res, UseInterceptors } from '@nestjs/common';
import { TunnelSenderInterceptor } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { TUNNEL_ROUTE } from '../server/request-routing.js';
import { InboundService } from './inbound.service.js';

/** Serves the tunnel requests of other relays. */
@Controller()
@UseInterceptors(TunnelSenderInterceptor)
export class InboundController {
  constructor(private readonly inbound: InboundService) {}

  /** Writes to the raw response of Node.js, because what Nest and Fastify would add costs more than the sealing. */
  @All(TUNNEL_ROUTE)
  async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    await this.inbound.receive(request.raw, reply.raw);
  }
}
