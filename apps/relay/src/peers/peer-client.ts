import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { SenderSigner, signTunnelRequests } from '@relay/signature';
import { Agent, type Dispatcher } from 'undici';

import { RelayMetrics } from '../observability/relay-metrics.js';
import { PeerOrigins } from './peer-origin.js';
import { guardedLookup } from './refused-addresses.js';

/** Below every keep-alive limit of a relay or load balancer, so that no request meets a closing socket. */
const KEEP_ALIVE_MS = 4_000;
/** A relay's own answer head is small; what proxies add is not much. protocol.md section 9. */
const MAX_RESPONSE_HEADER_BYTES = 16_384;

/** Connections to other relays; every request that goes out here is signed. */
@Injectable()
export class PeerClient implements OnApplicationShutdown {
  readonly dispatcher: Dispatcher;
  private readonly agent: Agent;

  constructor(
    config: RelayConfig,
    signer: SenderSigner,
    peerOrigins: PeerOrigins,
    metrics: RelayMetrics,
  ) {
    this.agent = new Agent({
      connect: {
        timeout: config.connectTimeoutMs,
        ...(peerOrigins.areListed ? {} : { lookup: guardedLookup }),
      },
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      pipelining: 1,
    });
    metrics.openSockets.answerFor('peers', () =>
      Object.values(this.agent.stats).reduce((sum, { connected }) => sum + Number(connected), 0),
    );
    this.dispatcher = this.agent.compose(signTunnelRequests(signer));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }
}
