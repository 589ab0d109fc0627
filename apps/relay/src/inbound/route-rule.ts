import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { RouteList, hasDotSegment } from '@relay/http';

import { PathRefusedError, RouteUnknownError } from './inbound.errors.js';

/** Which paths of the upstream the tunnel leads to: MTE_ROUTES, and never out of UPSTREAM's base path. */
@Injectable()
export class RouteRule {
  private readonly routes: RouteList | undefined;
  private readonly refusesDotSegments: boolean;

  constructor({ mteRoutes, upstreamBasePath }: RelayConfig) {
    this.routes = mteRoutes === undefined ? undefined : new RouteList(mteRoutes);
    this.refusesDotSegments = mteRoutes !== undefined || upstreamBasePath !== '';
  }

  /** @returns why a path gets a response from this relay instead of the upstream, or undefined */
  refusalOf(path: string): RelayError | undefined {
    if (this.refusesDotSegments && hasDotSegment(path)) {
      return new PathRefusedError('the path has dot segments, which could lead out of its routes');
    }
    return this.routes?.matches(path) === false
      ? new RouteUnknownError('MTE_ROUTES does not list this path')
      : undefined;
  }
}
