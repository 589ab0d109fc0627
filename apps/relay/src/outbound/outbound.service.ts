import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { ClientGoneError, endRequestEarly, isClientGone } from '@relay/http';

import { readClientRequest } from '../client-request.js';
import { ConcurrentRequests } from '../concurrent-requests.js';
import { rememberFacts, type RequestFacts } from '../observability/request-facts.js';
import { RequestReports, type RequestReport } from '../observability/request-reports.js';
import { traceIdOf } from '../observability/trace-id.js';
import { ClientAnswer } from './client-answer.js';
import { parseEncodeOptions } from './encode-options.js';
import { PeerOrigins } from './peer-origin.js';
import { ReplayableBody } from './replayable-body.js';
import { TunnelService } from './tunnel.service.js';

/** Plain request in, sealed request to the peer, plain answer out. */
@Injectable()
export class OutboundService {
  constructor(
    private readonly config: RelayConfig,
    private readonly peerOrigins: PeerOrigins,
    private readonly tunnel: TunnelService,
    private readonly reports: RequestReports,
    private readonly concurrent: ConcurrentRequests,
  ) {}

  /**
   * Forwards one request of a client that holds the token. Returns when the answer has been given or given up.
   *
   * @throws UpstreamHeaderInvalidError, UpstreamRefusedError, OptionInvalidError, HeadInvalidError, RelayBusyError and
   *   TunnelFailedError; all of them before anything was answered
   */
  async forward(
    message: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const startedAt = performance.now();
    const origin = this.peerOrigins.parse(message.headers['x-mte-upstream']);
    const options = parseEncodeOptions(message.headers);
    const request = readClientRequest(message, this.config);
    this.concurrent.take(response);
    const body = new ReplayableBody(message, this.config.idleTimeoutMs);
    const answer = new ClientAnswer(response, this.config, requestId, () => {
      forwarding.resume();
    });
    const forwarding = this.tunnel.forwarding(requestId, origin, request, options, body, answer);
    response.once('close', () => {
      const isAnswered = response.writableFinished;
      const reason = isAnswered ? EXCHANGE_OVER : new ClientGoneError('the client has gone away');
      forwarding.abort(reason);
    });
    const facts = (): RequestFacts => {
      const { exchange, attempt, sealedOut, sealedIn } = forwarding.facts;
      return {
        peer: origin,
        method: message.method,
        trace_id: traceIdOf(request.head.fields),
        bytesIn: body.bytes,
        bytesOut: answer.bytes,
        exchange,
        attempt,
        sealedOut,
        sealedIn,
      };
    };
    rememberFacts(message, facts);
    const report = (status?: number, code?: string, error?: Error): RequestReport => ({
      requestId,
      role: 'outbound',
      ms: performance.now() - startedAt,
      facts: facts(),
      status,
      code,
      error,
    });
    try {
      const { error, status } = await forwarding.run();
      if (error === undefined) {
        this.reports.answered(report(status));
      } else {
        this.reports.cutOff(report(undefined, 'RELAY_PEER_CONNECTION_LOST', error));
      }
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(report(undefined, error.code));
    }
    endRequestEarly(message, response);
  }
}

const EXCHANGE_OVER = new ClientGoneError('the client has its answer');
