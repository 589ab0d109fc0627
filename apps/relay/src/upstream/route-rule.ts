import type { RelayError } from '@relay/errors';
import { RouteList, judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import { RequestedPaths } from './requested-paths.js';
import { PathRefusedError, RouteUnknownError } from './upstream.errors.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** Decides which paths can be reached through the tunnel: those of MTE_ROUTES, and none outside UPSTREAM's base path. */
export class RouteRule {
  private readonly routes: RouteList | undefined;
  private readonly limitsPaths: boolean;
  private readonly paths: RequestedPaths;

  constructor(settings: UpstreamSettings) {
    const { routes, upstreamBasePath } = settings;
    this.routes = routes === undefined ? undefined : new RouteList(routes);
    this.limitsPaths = routes !== undefined || upstreamBasePath !== '';
    this.paths = new RequestedPaths(settings);
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
