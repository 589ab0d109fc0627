import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { PASS_THROUGH_ROUTE } from '../server/request-routing.js';
import { PassThroughService } from './pass-through.service.js';

/** Serves the requests that no other route serves. */
@Controller()
export class PassThroughController {
  constructor(private readonly passThrough: PassThroughService) {}

  @All(PASS_THROUGH_ROUTE)
  async forward(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    await this.passThrough.forward(request.raw, reply.raw);
  }
}
