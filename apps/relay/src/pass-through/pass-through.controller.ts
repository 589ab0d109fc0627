import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { PASS_THROUGH_DOOR } from '../door.js';
import { PassThroughService } from './pass-through.service.js';

/** What no other door took. */
@Controller()
export class PassThroughController {
  constructor(private readonly passThrough: PassThroughService) {}

  @All(PASS_THROUGH_DOOR)
  async forward(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    await this.passThrough.forward(request.raw, reply.raw, request.id);
  }
}
