import { hash, timingSafeEqual } from 'node:crypto';

import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { FastifyRequest } from 'fastify';

import { TOKEN_HEADER } from '../server/request-routing.js';
import { recordOf } from '../telemetry/request-record.js';
import { TokenInvalidError } from './outbound.errors.js';

/** Admits only clients with the token. Digests are compared, so timing reveals neither the token's length nor its content. */
@Injectable()
export class OutboundTokenGuard implements CanActivate {
  private readonly accepted: readonly Buffer[];

  constructor(config: RelayConfig) {
    const { outboundToken, outboundTokenAlt } = config;
    const tokens =
      outboundTokenAlt === undefined ? [outboundToken] : [outboundToken, outboundTokenAlt];
    this.accepted = tokens.map(digestOf);
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>().raw;
    const token = request.headers[TOKEN_HEADER];
    const digest = digestOf(typeof token === 'string' ? token : '');
    // All tokens are compared, so that the time does not depend on which of them matches.
    const matches = this.accepted.map((accepted) => timingSafeEqual(accepted, digest));
    if (!matches.includes(true)) {
      throw new TokenInvalidError('x-mte-outbound-token is not the token of this relay');
    }
    recordOf(request).hasToken = true;
    return true;
  }
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
