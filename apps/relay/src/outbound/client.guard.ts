import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

import { recordOf } from '../telemetry/request-record.js';
import { ClientWays } from './ways/client-ways.js';

/** Admits only clients of this relay, each in its way. */
@Injectable()
export class ClientGuard implements CanActivate {
  constructor(private readonly ways: ClientWays) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>().raw;
    recordOf(request).grant = this.ways.of(request).admit(request);
    return true;
  }
}
