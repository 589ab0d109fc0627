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
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';

import { singleHeader } from './single-header.js';
import { verifySender } from './sender-signature.js';
import { attachSender } from './verified-request.js';

/**
 * Verifies the sender of a tunnel request before a byte of its body is read, and sets the relay headers of the answer.
 * Nothing behind it reads the raw headers again. protocol.md section 7, step 1.
 */
@Injectable()
export class TunnelSenderInterceptor implements NestInterceptor {
  constructor(private readonly keyRing: KeyRing) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const { raw } = http.getRequest<FastifyRequest>();
    const clientIdHeader = singleHeader(raw, CLIENT_ID_HEADER);
    const relayHeader = singleHeader(raw, RELAY_HEADER);
    const header = parseTunnelHeader(relayHeader);
    const sender = verifySender(this.keyRing, clientIdHeader, relayHeader, { purpose: 'tunnel' });
    const responseHeader = formatResponseHeader(randomBytes(SALT_BYTES));
    attachSender(raw, { purpose: 'tunnel', sender, header, responseHeader });

    const response = http.getResponse<FastifyReply>().raw;
    response.setHeader(RELAY_HEADER, responseHeader);
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('cache-control', 'no-store');
    return next.handle();
  }
}
