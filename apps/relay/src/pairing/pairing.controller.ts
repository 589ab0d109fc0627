import { Controller, Get, Header, HttpCode, Post, Req, Res, UseInterceptors } from '@nestjs/common';
import { PAIR_PATH, PROBE_PATH, PROTOCOL_VERSION, RELAY_HEADER } from '@relay/protocol';
import { PairSenderInterceptor, verifiedRequestFor } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { RelayLog } from '../observability/relay-log.js';
import { RequestReports } from '../observability/request-reports.js';
import { PairingService } from './pairing.service.js';

/** `GET|HEAD /api/mte-relay` and `POST /api/mte-pair`. protocol.md sections 3 and 4. */
@Controller()
export class PairingController {
  constructor(
    private readonly pairing: PairingService,
    private readonly reports: RequestReports,
    private readonly log: RelayLog,
  ) {}

  /** Tells a peer that a relay is here; no state, no authority. */
  @Get(PROBE_PATH)
  @HttpCode(200)
  @Header(RELAY_HEADER, PROTOCOL_VERSION)
  @Header('cache-control', 'no-store')
  probe(): string {
    return '';
  }

  @Post(PAIR_PATH)
  @HttpCode(200)
  @UseInterceptors(PairSenderInterceptor)
  async pair(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const verified = verifiedRequestFor(request.raw, 'pair');
    const body = await this.pairing.respond(verified);
    this.log.debug('paired with a sender', {
      requestId: request.id,
      keyId: verified.sender.secretKeys.kid,
    });
    reply.hijack();
    // The interceptor has set the headers on the raw response.
    reply.raw.setHeader('content-length', body.length);
    reply.raw.end(body);
    const { elapsedTime: ms } = reply;
    this.reports.answered({ requestId: request.id, role: 'pairing', status: 200, ms, facts: {} });
  }
}
