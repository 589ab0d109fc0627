import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { AcceptedKeys, parseClientIdHeader } from '@relay/protocol';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';

import { checkPairHeaders } from './pair-request.js';
import { RelayName } from './relay-name.js';
import { attachPairHeaders } from './verified-request.js';

/**
 * Refuses a pairing request by its headers alone, before a byte of its body is read: a sender that names no known secret, or
 * no acceptable length, costs nothing more. The handler gets the headers from `checkedPairHeaders`, and does not read the raw
 * ones again. The signature covers the body, so the handler calls `readPairRequest` to verify it. protocol.md section 4.
 */
@Injectable()
export class PairSenderInterceptor implements NestInterceptor {
  constructor(
    private readonly accepted: AcceptedKeys,
    private readonly name: RelayName,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    const headers = checkPairHeaders(raw, this.accepted);
    this.name.refuseSelf(parseClientIdHeader(headers.clientIdHeader).identity);
    attachPairHeaders(raw, headers);
    return next.handle();
  }
}
