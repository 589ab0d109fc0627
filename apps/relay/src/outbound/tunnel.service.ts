import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { ExchangeLimits } from '@relay/http';

import { BufferBudget } from '../admission/buffer-budget.js';
import type { ClientRequest } from '../client/client-request.js';
import type { ClientUpgrade } from '../client/client-upgrade.js';
import { ChannelsToPeers } from '../peers/channels-to-peers.js';
import { ConnectionChannels } from '../peers/connection-channels.js';
import { OriginChoice } from '../peers/origin-choice.js';
import { PeerClient } from '../peers/peer-client.js';
import type { NamedPeer } from '../peers/peer-origin.js';
import type { Peer } from '../peers/peer.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { recordOf } from '../telemetry/request-record.js';
import { senderNetwork } from '../telemetry/sender-network.js';
import { ClientResponse } from './client-response.js';
import type { EncodeOptions } from './encode-options.js';
import { Forwarding } from './forwarding.js';
import { OriginsForwarding } from './origins-forwarding.js';
import { ReplayableBody } from './replayable-body.js';
import { UpgradeForwarding } from './upgrade-forwarding.js';

/** How much longer this relay waits than the peer waits for its upstream, so that the peer's own error arrives first. */
const PEER_MARGIN_MS = 2_000;

/** What a client asks for: its request, the peer to send it to, and what of it to show between the relays. */
export interface TunnelRequest {
  readonly peer: NamedPeer;
  readonly options: EncodeOptions;
  readonly request: ClientRequest;
}

/** A client's request that is ready to be forwarded. */
export type RequestForwarding = Pick<Forwarding, 'run' | 'abort'>;

/** Gives each client request what it needs on its way through the tunnel. */
@Injectable()
export class TunnelService {
  private readonly limits: ExchangeLimits;

  constructor(
    private readonly config: RelayConfig,
    private readonly choice: OriginChoice,
    private readonly channels: ChannelsToPeers,
    private readonly connectionChannels: ConnectionChannels,
    private readonly peerClient: PeerClient,
    private readonly bufferBudget: BufferBudget,
    private readonly log: RelayLog,
  ) {
    const { responseTimeoutMs, connectTimeoutMs, idleTimeoutMs } = config;
    this.limits = {
      responseTimeoutMs: responseTimeoutMs + connectTimeoutMs + PEER_MARGIN_MS,
      idleTimeoutMs,
    };
  }

  /** Prepares to forward one request. Nothing is sent, and nothing of the body is read, before the forwarding runs. */
  prepare(
    { peer: named, options, request }: TunnelRequest,
    rawRequest: IncomingMessage,
    rawResponse: ServerResponse,
  ): RequestForwarding {
    const { config, choice, peerClient, bufferBudget, limits, log } = this;
    const origins = choice.of(named);
    const [first] = origins;
    const record = recordOf(rawRequest);
    record.peer = first.origin;
    record.peerName = first.known.name;
    const body = new ReplayableBody(rawRequest, config.idleTimeoutMs);
    const begin = (peer: Peer, hasOtherOrigin: boolean): Forwarding => {
      const context = {
        peer,
        channels: this.channels.of(peer),
        record,
        network: senderNetwork(rawRequest.socket),
        request,
        options,
        config,
        peerClient,
        bufferBudget,
        limits,
        log,
        hasOtherOrigin,
      };
      return new Forwarding(context, body, rawResponse);
    };
    return origins.length === 1
      ? begin(first, false)
      : new OriginsForwarding({ origins, choice, record, log }, begin);
  }

  /** Prepares to forward one request for an upgrade. Nothing is sent before the forwarding runs. */
  prepareUpgrade(
    { peer: named, options, request }: TunnelRequest,
    rawRequest: IncomingMessage,
    rawResponse: ServerResponse,
    client: ClientUpgrade,
  ): UpgradeForwarding {
    const { config, choice, peerClient, bufferBudget, limits, log } = this;
    const record = recordOf(rawRequest);
    record.peerName = named.known.name;
    const forwarding: UpgradeForwarding = new UpgradeForwarding(
      {
        origins: choice.of(named),
        choice,
        channels: this.connectionChannels,
        record,
        network: senderNetwork(rawRequest.socket),
        request,
        options,
        response: new ClientResponse(rawResponse, config, record.requestId, () => {
          forwarding.resume();
        }),
        config,
        peerClient,
        bufferBudget,
        limits,
        log,
      },
      client,
    );
    return forwarding;
  }
}
