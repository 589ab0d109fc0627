import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { RouteList, judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import { RequestedPaths } from '../upstream/requested-paths.js';
import { PathRefusedError, RouteUnknownError } from './inbound.errors.js';

/** Decides which paths can be reached through the tunnel: those of MTE_ROUTES, and none outside UPSTREAM's base path. */
@Injectable()
export class RouteRule {
  private readonly routes: RouteList | undefined;
  private readonly limitsPaths: boolean;
  private readonly paths: RequestedPaths;

  constructor(config: RelayConfig) {
    const { mteRoutes, upstreamBasePath } = config;
    this.routes = mteRoutes === undefined ? undefined : new RouteList(mteRoutes);
    this.limitsPaths = mteRoutes !== undefined || upstreamBasePath !== '';
    this.paths = new RequestedPaths(config);
  }

  /** @returns why this relay refuses to forward the request, or undefined if its paths may be reached */
  refusalOf(head: RequestHead): RelayError | undefined {
    if (!this.limitsPaths) {
      return undefined;
    }
    for (const path of this.paths.of(head, 'peer')) {
      const refusal = this.refusalOfPath(path);
      if (refusal !== undefined) {
        return refusal;
      }
    }
    return undefined;
  }

  private refusalOfPath(path: string | undefined): RelayError | undefined {
    if (path === undefined) {
      return new PathRefusedError('the destination is outside the base path of UPSTREAM');
    }
    const judged = judgePath(path);
    if (judged.refusal !== undefined) {
      return new PathRefusedError(`${judged.refusal}, and so could lead outside the allowed paths`);
    }
    return this.routes?.matches(judged) === false
      ? new RouteUnknownError('MTE_ROUTES of the inbound relay does not list this path')
      : undefined;
  }
}
