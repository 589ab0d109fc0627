import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Clock } from '@relay/clock';
import type { FastifyRequest } from 'fastify';

import { DirectoryService } from '../directory/directory.service.js';
import { TOKEN_HEADER } from '../server/request-routing.js';
import { recordOf } from '../telemetry/request-record.js';
import { TokenInvalidError } from './outbound.errors.js';

/** Admits only clients with a token. */
@Injectable()
export class OutboundTokenGuard implements CanActivate {
  constructor(
    private readonly directory: DirectoryService,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>().raw;
    const value = request.headers[TOKEN_HEADER];
    const token = typeof value === 'string' ? value : '';
    const grant = this.directory.current.tokens.find(token, this.clock.nowMs());
    if (grant === undefined) {
      throw new TokenInvalidError('x-mte-outbound-token is not a token of this relay');
    }
    recordOf(request).grant = grant;
    return true;
  }
}
