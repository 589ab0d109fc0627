import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { RouteList, endRequestEarly, hasRequestBody, isClientGone } from '@relay/http';

import { readClientRequest } from '../client-request.js';
import { ConcurrentRequests } from '../concurrent-requests.js';
import { rememberFacts, type RequestFacts } from '../observability/request-facts.js';
import { RequestReports, type RequestReport } from '../observability/request-reports.js';
import { traceIdOf } from '../observability/trace-id.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import { PassThroughExchange } from './pass-through-exchange.js';
import { TokenMissingError } from './pass-through.errors.js';

/** Routes that are proxied to the upstream without encoding, for clients that hold no token. */
@Injectable()
export class PassThroughService {
  private readonly routes: RouteList;

  constructor(
    private readonly config: RelayConfig,
    private readonly upstream: UpstreamClient,
    private readonly reports: RequestReports,
    private readonly concurrent: ConcurrentRequests,
  ) {
    this.routes = new RouteList(config.passThroughRoutes);
  }

  /**
   * @throws TokenMissingError where no route lists the path, HeadInvalidError, RelayBusyError, UpstreamError,
   *   BodyIdleError
   */
  async forward(
    message: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const startedAt = performance.now();
    const { head } = readClientRequest(message, this.config);
    if (!this.routes.matches(head.path)) {
      throw new TokenMissingError(
        'x-mte-outbound-token is missing (clients of this relay send it with x-mte-upstream), ' +
          'x-mte-relay is missing (other relays send it), and PASS_THROUGH_ROUTES does not list this path',
      );
    }
    this.concurrent.take(response);
    const exchange = new PassThroughExchange(message, response, this.config);
    const facts = (): RequestFacts => ({
      method: message.method,
      trace_id: traceIdOf(head.fields),
      ...exchange.bytes,
    });
    rememberFacts(message, facts);
    const report = (status?: number, code?: string): RequestReport => ({
      requestId,
      role: 'pass-through',
      ms: performance.now() - startedAt,
      facts: facts(),
      status,
      code,
    });
    try {
      const status = await exchange.run(this.upstream, head, hasRequestBody(message));
      this.reports.answered(report(status));
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(report(undefined, error.code));
    }
    endRequestEarly(message, response);
  }
}
