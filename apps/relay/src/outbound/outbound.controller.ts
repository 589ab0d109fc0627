import { All, Controller, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { OUTBOUND_ROUTE } from '../server/request-routing.js';
import { offeredConnection } from '../server/upgrades.js';
import { ClientGuard } from './client.guard.js';
import { OutboundService } from './outbound.service.js';
import { UpgradeService } from './upgrade.service.js';

/** Serves the requests of this relay's clients, whatever their method and path. */
@Controller()
@UseGuards(ClientGuard)
export class OutboundController {
  constructor(
    private readonly outbound: OutboundService,
    private readonly upgrades: UpgradeService,
  ) {}

  /** Writes to the raw response of Node.js, because what Nest and Fastify would add costs more than the sealing. */
  @All(OUTBOUND_ROUTE)
  async forward(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    const offered = offeredConnection(request.raw);
    await (offered === undefined
      ? this.outbound.forward(request.raw, reply.raw)
      : this.upgrades.forward(request.raw, reply.raw, offered));
  }
}
