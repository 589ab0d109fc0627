import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { readingFirst } from '@relay/http';
import { deriveProof, type SessionKeys } from '@relay/protocol';
import { SenderSigner, verifyError, type SignedError } from '@relay/signature';
import { Agent, buildConnector, type Dispatcher } from 'undici';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { PeerOrigins } from './peer-origin.js';
import { guardedLookup } from './refused-addresses.js';

/** Shorter than the keep-alive limit of any relay or load balancer, so that no request meets a connection that is closing. */
const KEEP_ALIVE_MS = 4_000;
/** The head of a relay's own response is small, and proxies add little. protocol.md section 9. */
const MAX_RESPONSE_HEADER_BYTES = 16_384;

/** How undici names the ends of connections that this relay has caused: it gave up a request, or the connection was idle for too long. */
const OWN_ENDS: ReadonlySet<string> = new Set(['aborted', 'socket idle timeout']);

/** The connections that messages to other relays are sent on, and the signatures of those messages. */
@Injectable()
export class PeerClient implements OnApplicationShutdown {
  private readonly agent: Agent;

  constructor(
    config: RelayConfig,
    private readonly signer: SenderSigner,
    peerOrigins: PeerOrigins,
    metrics: RelayMetrics,
  ) {
    this.agent = new Agent({
      connect: readingFirst(
        buildConnector({
          timeout: config.connectTimeoutMs,
          ...(peerOrigins.areListed ? {} : { lookup: guardedLookup }),
        }),
      ),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      pipelining: 1,
    });
    metrics.openSockets.observe(
      () =>
        Object.values(this.agent.stats).reduce((sum, { connected }) => sum + Number(connected), 0),
      'peers',
    );
  }

  /** Sends requests to any origin, on connections that are kept open between requests. */
  get dispatcher(): Dispatcher {
    return this.agent;
  }

  /**
   * Reports each connection that ended other than by this relay's own doing.
   *
   * @param listener - receives the origin of the peer
   */
  onDisconnect(listener: (origin: string) => void): void {
    this.agent.on('disconnect', (url, _targets, error) => {
      if (!(error.code === 'UND_ERR_INFO' && OWN_ENDS.has(error.message))) {
        listener(url.origin);
      }
    });
  }

  /** @returns the value of `x-mte-client-id` that goes with this `x-mte-relay` value */
  sign(relayHeader: string): string {
    return this.signer.sign(relayHeader, { purpose: 'tunnel' });
  }

  /**
   * @param clientIdHeader - what `sign` returned for the message
   * @param keys - of the session that the message was sealed in
   * @returns the error that the peer signed for this message, or undefined if the response proves nothing
   */
  verifyError(
    clientIdHeader: string,
    keys: SessionKeys,
    relayHeader: string,
    httpStatus: number,
  ): SignedError | undefined {
    const { secretKeys } = this.signer;
    return verifyError(secretKeys, clientIdHeader, relayHeader, httpStatus, deriveProof(keys));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }
}
