import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { HoldBudget, type ExchangeLimits } from '@relay/http';
import { SenderSigner } from '@relay/signature';

import { RelayLog } from '../observability/relay-log.js';
import type { ClientAnswer } from './client-answer.js';
import type { ClientRequest } from '../client-request.js';
import type { EncodeOptions } from './encode-options.js';
import { Forwarding } from './forwarding.js';
import { PeerClient } from './peer-client.js';
import { PeersService } from './peers.service.js';
import type { ReplayableBody } from './replayable-body.js';

/** How long this relay waits for the other beyond what that waits for the upstream: its own answer should win. */
const PEER_MARGIN_MS = 2_000;

/** Sends requests through the tunnel to their peers. */
@Injectable()
export class TunnelService {
  private readonly limits: ExchangeLimits;

  constructor(
    private readonly config: RelayConfig,
    private readonly peers: PeersService,
    private readonly peerClient: PeerClient,
    private readonly signer: SenderSigner,
    private readonly holdBudget: HoldBudget,
    private readonly log: RelayLog,
  ) {
    const { responseTimeoutMs, connectTimeoutMs, idleTimeoutMs } = config;
    this.limits = {
      responseTimeoutMs: responseTimeoutMs + connectTimeoutMs + PEER_MARGIN_MS,
      idleTimeoutMs,
    };
  }

  /** Prepares one request; nothing is sent yet. */
  forwarding(
    requestId: string,
    origin: string,
    request: ClientRequest,
    options: EncodeOptions,
    body: ReplayableBody,
    answer: ClientAnswer,
  ): Forwarding {
    return new Forwarding(
      {
        requestId,
        log: this.log,
        origin,
        request,
        options,
        answer,
        secretKeys: this.signer.secretKeys,
        holdBudget: this.holdBudget,
        limits: this.limits,
      },
      body,
      this.peers.peer(origin),
      this.peerClient.dispatcher,
      this.config.retryUnsafeMethods,
    );
  }
}
