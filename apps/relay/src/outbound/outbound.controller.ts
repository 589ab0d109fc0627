import { All, Controller, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { OUTBOUND_DOOR } from '../door.js';
import { OutboundTokenGuard } from './outbound-token.guard.js';
import { OutboundService } from './outbound.service.js';

/** Requests of this relay's own clients. */
@Controller()
@UseGuards(OutboundTokenGuard)
export class OutboundController {
  constructor(private readonly outbound: OutboundService) {}

  /** The answer is written to the raw response: what Nest and Fastify would add costs more than the sealing. */
  @All(OUTBOUND_DOOR)
  async forward(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    await this.outbound.forward(request.raw, reply.raw, request.id);
  }
}
