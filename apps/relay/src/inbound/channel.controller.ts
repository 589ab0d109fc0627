import { Controller, Get, Req, Res, UseInterceptors } from '@nestjs/common';
import { TunnelSenderInterceptor } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CHANNEL_ROUTE } from '../server/request-routing.js';
import { ChannelAcceptor } from './channel-acceptor.js';

/** Serves the openings of channels by other relays. */
@Controller()
@UseInterceptors(TunnelSenderInterceptor)
export class ChannelController {
  constructor(private readonly acceptor: ChannelAcceptor) {}

  /** The connection becomes a channel, so that there is no response in Fastify's sense. */
  @Get(CHANNEL_ROUTE)
  async open(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    await this.acceptor.accept(request.raw, reply.raw);
  }
}
