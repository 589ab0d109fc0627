import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { KeyRing, parseClientIdHeader } from '@relay/protocol';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';

import { checkPairHeaders } from './pair-request.js';
import { SenderSigner } from './sender-signer.js';

/**
 * Refuses a pairing request by its headers alone, before a byte of its body is read: a sender that names no known secret, or
 * no acceptable length, costs nothing more. The signature covers the body, so `readPairRequest` verifies it in the handler.
 * protocol.md section 4.
 */
@Injectable()
export class PairSenderInterceptor implements NestInterceptor {
  constructor(
    private readonly keyRing: KeyRing,
    private readonly signer: SenderSigner,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    const { clientIdHeader } = checkPairHeaders(raw, this.keyRing);
    this.signer.refuseSelf(parseClientIdHeader(clientIdHeader).identity);
    return next.handle();
  }
}
