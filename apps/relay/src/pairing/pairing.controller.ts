import { Controller, Get, Header, HttpCode, Post, Req, Res, UseInterceptors } from '@nestjs/common';
import {
  AcceptedKeys,
  OUTER_CACHE_CONTROL,
  OUTER_RESPONSE_FIELDS,
  PAIR_PATH,
  PROBE_PATH,
  PROTOCOL_VERSION,
  RELAY_HEADER,
} from '@relay/protocol';
import { PairSenderInterceptor, checkedPairHeaders, readPairRequest } from '@relay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { DirectoryService } from '../directory/directory.service.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { recordOf } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { PairingService } from './pairing.service.js';

/** `GET|HEAD /api/mte-relay` and `POST /api/mte-pair`. protocol.md sections 3 and 4. */
@Controller()
export class PairingController {
  constructor(
    private readonly pairing: PairingService,
    private readonly accepted: AcceptedKeys,
    private readonly directory: DirectoryService,
    private readonly reports: RequestReports,
    private readonly log: RelayLog,
  ) {}

  /** Confirms to a peer that a relay responds here. It changes nothing and grants nothing. */
  @Get(PROBE_PATH)
  @HttpCode(200)
  @Header(RELAY_HEADER, PROTOCOL_VERSION)
  @Header('cache-control', OUTER_CACHE_CONTROL)
  probe(): string {
    return '';
  }

  /** The interceptor has checked the headers. The signature, which covers the body as well, is verified here. */
  @Post(PAIR_PATH)
  @UseInterceptors(PairSenderInterceptor)
  async pair(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const headers = checkedPairHeaders(request.raw);
    const verified = await readPairRequest(request.raw, headers, this.accepted);
    const { kid } = verified.sender.secretKeys;
    recordOf(request.raw).peer = this.directory.current.nameOf(kid);
    const body = await this.pairing.respond(verified);
    this.log.debug('paired with a sender', {
      requestId: request.id,
      keyId: kid,
    });
    reply.hijack();
    reply.raw.writeHead(200, {
      [RELAY_HEADER]: PROTOCOL_VERSION,
      ...OUTER_RESPONSE_FIELDS,
      'content-length': body.length,
    });
    reply.raw.end(body);
    this.reports.completed(recordOf(request.raw), { status: 200 });
  }
}
