import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { RouteList, judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import { requestedPaths } from '../upstream/requested-paths.js';
import { PathRefusedError, RouteUnknownError } from './inbound.errors.js';

/** Decides which paths can be reached through the tunnel: those of MTE_ROUTES, and none outside UPSTREAM's base path. */
@Injectable()
export class RouteRule {
  private readonly routes: RouteList | undefined;
  private readonly limitsPaths: boolean;

  constructor({ mteRoutes, upstreamBasePath }: RelayConfig) {
    this.routes = mteRoutes === undefined ? undefined : new RouteList(mteRoutes);
    this.limitsPaths = mteRoutes !== undefined || upstreamBasePath !== '';
  }

  /** @returns why this relay refuses to forward the request, or undefined if its paths may be reached */
  refusalOf(head: Pick<RequestHead, 'path' | 'fields'>): RelayError | undefined {
    if (!this.limitsPaths) {
      return undefined;
    }
    for (const path of requestedPaths(head)) {
      const refusal = this.refusalOfPath(path);
      if (refusal !== undefined) {
        return refusal;
      }
    }
    return undefined;
  }

  private refusalOfPath(path: string): RelayError | undefined {
    const judged = judgePath(path);
    if (judged.refusal !== undefined) {
      return new PathRefusedError(`${judged.refusal}, and so could lead outside the allowed paths`);
    }
    return this.routes?.matches(judged) === false
      ? new RouteUnknownError('MTE_ROUTES of the inbound relay does not list this path')
      : undefined;
  }
}
