import { randomBytes } from 'node:crypto';

import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  CLIENT_ID_HEADER,
  KeyRing,
  RELAY_HEADER,
  SALT_BYTES,
  formatResponseHeader,
  parseTunnelHeader,
} from '@relay/protocol';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';

import { singleHeader } from './single-header.js';
import { verifySender } from './sender-signature.js';
import { attachSender } from './verified-request.js';

/**
 * Verifies the sender of a tunnel request before a byte of its body is read, and makes the header that its answer is
 * sealed under. Nothing behind it reads the raw headers again. protocol.md section 7, step 1.
 */
@Injectable()
export class TunnelSenderInterceptor implements NestInterceptor {
  constructor(private readonly keyRing: KeyRing) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    const clientIdHeader = singleHeader(raw, CLIENT_ID_HEADER);
    const relayHeader = singleHeader(raw, RELAY_HEADER);
    const header = parseTunnelHeader(relayHeader);
    const sender = verifySender(this.keyRing, clientIdHeader, relayHeader, { purpose: 'tunnel' });
    const responseHeader = formatResponseHeader(randomBytes(SALT_BYTES));
    attachSender(raw, { purpose: 'tunnel', sender, header, responseHeader });
    return next.handle();
  }
}
