import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { hasRequestBody, isClientGone, judgePath } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import { PassThroughLimit } from '../admission/concurrency-limit.js';
import { readClientRequest } from '../client/client-request.js';
import { ClientUpgrade } from '../client/client-upgrade.js';
import { offeredConnection } from '../server/upgrades.js';
import { recordOf } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { UpgradedReports } from '../telemetry/upgraded-reports.js';
import type { Tenant } from '../upstream/tenant.js';
import { TenantsService } from '../upstream/tenants.service.js';
import { PassThroughExchange } from './pass-through-exchange.js';
import { TokenMissingError } from './pass-through.errors.js';
import { RemovedTenants } from './removed-tenants.js';

/** Forwards requests on PASS_THROUGH_ROUTES to the upstream without sealing, for clients without a token. */
@Injectable()
export class PassThroughService {
  constructor(
    private readonly config: RelayConfig,
    private readonly places: PassThroughLimit,
    private readonly tenants: TenantsService,
    private readonly removed: RemovedTenants,
    private readonly upgraded: UpgradedReports,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Forwards one request. Returns once the response has been sent or abandoned.
   *
   * @throws TokenMissingError if no route lists the path; HeadInvalidError, RelayBusyError, UpstreamError, BodyIdleError
   */
  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { forwardedHeaders, upgradeProtocols } = this.config;
    // What the tenant sets is set on the way to its API.
    const options = { forwardedHeaders, upgradeProtocols, headers: [] };
    const { head } = readClientRequest(request, options);
    const tenant = this.tenants.ofHost(head.authority);
    requireRoute(head, tenant);
    this.places.acquire(response);
    const offered = offeredConnection(request);
    const upgrade = offered === undefined ? undefined : new ClientUpgrade(request, offered);
    const exchange = new PassThroughExchange(request, response, tenant.settings, upgrade);
    const record = recordOf(request);
    this.reports.begun(record, head);
    record.tenant = tenant.entry.name;
    await this.run(exchange, tenant, head, request);
  }

  /** Sends the request to the upstream, and reports how it ended, unless an error leaves that to the error filter. */
  private async run(
    exchange: PassThroughExchange,
    { upstream }: Tenant,
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
      const status = await exchange.run(upstream, head, hasRequestBody(request)).finally(fillIn);
      this.reports.completed(record, { status });
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(record, { code: error.code });
    }
    if (exchange.ends !== undefined) {
      const over = this.upgraded.untilOver('pass-through', exchange.ends, record);
      this.removed.check();
      await over;
    }
  }
}

/** @throws TokenMissingError if there is no tenant, or none of its routes lists every path that the request asks for */
function requireRoute(head: RequestHead, tenant: Tenant | undefined): asserts tenant is Tenant {
  const judged = tenant?.paths.of(head, 'anybody').map((path) => judgePath(path ?? ''));
  const unlisted = judged?.find((path) => tenant?.passThroughRoutes.matches(path) === false);
  if (tenant === undefined || unlisted !== undefined) {
    const reason = unlisted?.refusal === undefined ? '' : `: ${unlisted.refusal}`;
    throw new TokenMissingError(
      'x-mte-outbound-token is missing (clients of this relay send it with x-mte-upstream), ' +
        `x-mte-relay is missing (other relays send it), and PASS_THROUGH_ROUTES does not list this path${reason}`,
    );
  }
}
