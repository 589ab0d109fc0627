import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig, type Grant } from '@relay/config';
import { ClientGoneError, EXCHANGE_OVER, isClientGone } from '@relay/http';

import { ClientLimits } from '../admission/client-limits.js';
import { ConcurrencyLimit } from '../admission/concurrency-limit.js';
import { readClientRequest } from '../client/client-request.js';
import { grantOf, recordOf, type RequestRecord } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { isWhollySealed } from './encode-options.js';
import { OptionInvalidError } from './outbound.errors.js';
import { TunnelService, type RequestForwarding, type TunnelRequest } from './tunnel.service.js';
import { ClientWays } from './ways/client-ways.js';

/** Sends a client's plaintext request to the peer as a sealed message, and returns the response. */
@Injectable()
export class OutboundService {
  constructor(
    private readonly config: RelayConfig,
    private readonly ways: ClientWays,
    private readonly limits: ClientLimits,
    private readonly concurrency: ConcurrencyLimit,
    private readonly tunnel: TunnelService,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Forwards one request of a client that was admitted. Returns once the response has been sent or abandoned.
   *
   * @throws UpstreamHeaderInvalidError, UpstreamRefusedError, SchemeUnsupportedError, HostUnknownError, LoopError,
   *   OptionInvalidError, HeadInvalidError, ClientLimitedError, RelayBusyError and TunnelFailedError, all of them before the
   *   response has begun
   */
  async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = recordOf(request);
    const grant = grantOf(record);
    const tunnelRequest = this.read(request, grant);
    const admission = this.limits.admit(grant.client, response);
    if (admission !== undefined) {
      await admission;
      if (response.destroyed) {
        this.reports.abandoned(record, { code: 'RELAY_CLIENT_GONE' });
        return;
      }
    }
    this.concurrency.acquire(response);
    const forwarding = this.tunnel.prepare(tunnelRequest, request, response);
    abortOnceClosed(forwarding, response);
    this.reports.begun(record, tunnelRequest.request.head);
    await this.run(forwarding, record);
  }

  /** Reads the client's request and options. What the peer would refuse is refused here, before it costs a session. */
  private read(request: IncomingMessage, { client }: Grant): TunnelRequest {
    const peer = this.ways.of(request).peerOf(request, client);
    const options = this.ways.optionsOf(request);
    if (peer.known.entry.transport === 'channel' && !isWhollySealed(options)) {
      throw new OptionInvalidError(
        'with TUNNEL_TRANSPORT=channel, this relay sends neither MTE messages nor plaintext copies',
      );
    }
    return {
      peer,
      options,
      request: readClientRequest(request, this.config, this.ways.addedFields(request, client)),
    };
  }

  /** Sends the request through the tunnel, and reports how it ended, unless an error leaves that to the error filter. */
  private async run(forwarding: RequestForwarding, record: RequestRecord): Promise<void> {
    try {
      const { status, error } = await forwarding.run();
      if (error === undefined) {
        this.reports.completed(record, { status });
      } else {
        this.reports.cutOff(record, { code: 'RELAY_PEER_CONNECTION_LOST', error });
      }
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(record, { code: error.code });
    }
  }
}

/** Ends the forwarding as soon as its response is closed, because then nobody is waiting for it. */
function abortOnceClosed(forwarding: RequestForwarding, response: ServerResponse): void {
  response.once('close', () => {
    forwarding.abort(
      response.writableFinished ? EXCHANGE_OVER : new ClientGoneError('the client has gone away'),
    );
  });
}
