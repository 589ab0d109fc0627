import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { RouteList, hasDotSegment } from '@relay/http';

import { PathRefusedError, RouteUnknownError } from './inbound.errors.js';

/** Decides which paths can be reached through the tunnel: those of MTE_ROUTES, and none outside UPSTREAM's base path. */
@Injectable()
export class RouteRule {
  private readonly routes: RouteList | undefined;
  private readonly refusesDotSegments: boolean;

  constructor({ mteRoutes, upstreamBasePath }: RelayConfig) {
    this.routes = mteRoutes === undefined ? undefined : new RouteList(mteRoutes);
    this.refusesDotSegments = mteRoutes !== undefined || upstreamBasePath !== '';
  }

  /** @returns why this relay refuses to forward the path, or undefined if it may be forwarded */
  refusalOf(path: string): RelayError | undefined {
    if (this.refusesDotSegments && hasDotSegment(path)) {
      return new PathRefusedError(
        'the path has dot segments, which could lead outside the allowed routes',
      );
    }
    return this.routes?.matches(path) === false
      ? new RouteUnknownError('MTE_ROUTES does not list this path')
      : undefined;
  }
}
