import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { RouteList, hasRequestBody, isClientGone, judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import { PassThroughLimit } from '../admission/concurrency-limit.js';
import { readClientRequest } from '../client/client-request.js';
import { ClientUpgrade } from '../client/client-upgrade.js';
import { offeredConnection } from '../server/upgrades.js';
import { recordOf } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { traceIdOf } from '../telemetry/trace-id.js';
import { UpgradedReports } from '../telemetry/upgraded-reports.js';
import { RequestedPaths } from '../upstream/requested-paths.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import { PassThroughExchange } from './pass-through-exchange.js';
import { TokenMissingError } from './pass-through.errors.js';

/** Forwards requests on PASS_THROUGH_ROUTES to the upstream without sealing, for clients without a token. */
@Injectable()
export class PassThroughService {
  private readonly routes: RouteList;
  private readonly paths: RequestedPaths;

  constructor(
    private readonly config: RelayConfig,
    private readonly places: PassThroughLimit,
    private readonly upstream: UpstreamClient,
    private readonly upgraded: UpgradedReports,
    private readonly reports: RequestReports,
  ) {
    this.routes = new RouteList(config.passThroughRoutes);
    this.paths = new RequestedPaths(config);
  }

  /**
   * Forwards one request. Returns once the response has been sent or abandoned.
   *
   * @throws TokenMissingError if no route lists the path; HeadInvalidError, RelayBusyError, UpstreamError, BodyIdleError
   */
  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { head } = readClientRequest(request, this.config);
    this.requireRoute(head);
    this.places.acquire(response);
    const offered = offeredConnection(request);
    const upgrade = offered === undefined ? undefined : new ClientUpgrade(request, offered);
    const exchange = new PassThroughExchange(request, response, this.config, upgrade);
    recordOf(request).traceId = traceIdOf(head.fields);
    await this.run(exchange, head, request);
  }

  private requireRoute(head: RequestHead): void {
    const judged = this.paths.of(head, 'anybody').map((path) => judgePath(path ?? ''));
    const unlisted = judged.find((path) => !this.routes.matches(path));
    if (unlisted !== undefined) {
      const reason = unlisted.refusal === undefined ? '' : `: ${unlisted.refusal}`;
      throw new TokenMissingError(
        'x-mte-outbound-token is missing (clients of this relay send it with x-mte-upstream), ' +
          `x-mte-relay is missing (other relays send it), and PASS_THROUGH_ROUTES does not list this path${reason}`,
      );
    }
  }

  /** Sends the request to the upstream, and reports how it ended, unless an error leaves that to the error filter. */
  private async run(
    exchange: PassThroughExchange,
    head: RequestHead,
    request: IncomingMessage,
  ): Promise<void> {
    const record = recordOf(request);
    const fillIn = (): void => {
      record.bytesIn = exchange.bytes.in;
      record.bytesOut = exchange.bytes.out;
      record.upstreamAttempt = exchange.wasRepeated ? 2 : undefined;
    };
    try {
      const status = await exchange
        .run(this.upstream, head, hasRequestBody(request))
        .finally(fillIn);
      this.reports.completed(record, { status });
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(record, { code: error.code });
    }
    if (exchange.ends !== undefined) {
      await this.upgraded.untilOver('pass-through', exchange.ends, record);
    }
  }
}
