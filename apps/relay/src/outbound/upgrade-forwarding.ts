import { StreamCode, type Stream } from '@relay/channel';
import type { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { JoinedEnds, UpgradeUnsupportedError, isClientGone } from '@relay/http';
import {
  HeadInvalidError,
  decodeSwitching,
  encodeUpgradeRequest,
  isSameProtocol,
} from '@relay/protocol';

import { StreamEnd } from '../channels/stream-end.js';
import { clientFields } from '../client/client-fields.js';
import type { ClientUpgrade } from '../client/client-upgrade.js';
import { OpeningTimeoutError, type OpeningFailure } from '../peers/channel-opener.js';
import type { ConnectionChannels } from '../peers/connection-channels.js';
import type { PeerChannel } from '../peers/peer-channel.js';
import { signedFailure, unconnected } from '../peers/peer-failure.js';
import type { Peer } from '../peers/peer.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import type { ForwardingOutcome } from './forwarding-context.js';
import { askInTurn, type Failover } from './origin-failover.js';
import { isProvenUnforwarded } from './retry-rule.js';
import { StreamAttempt, type AskedUpgrade } from './stream-attempt.js';
import type { AttemptContext } from './tunnel-attempt.js';
import { causeOf } from './outcome-reason.js';
import { endTracedAttempt, tracedAttempt } from './traced-attempt.js';
import { tunnelFailure } from './tunnel-failure.js';

/** What an upgrade needs on its way. */
export interface UpgradeContext extends Omit<AttemptContext, 'address'>, Failover {
  readonly channels: ConnectionChannels;
  readonly config: RelayConfig;
  /** The network that the client is in. */
  readonly network: string;
}

/** A client's request for an upgrade on its way: over a channel of its own, to one origin of the peer, and once. protocol.md section 11.8. */
export class UpgradeForwarding implements AskedUpgrade {
  private attempt: StreamAttempt | undefined;
  private abortReason: Error | undefined;
  private joined: JoinedEnds | undefined;

  constructor(
    private readonly context: UpgradeContext,
    private readonly client: ClientUpgrade,
  ) {}

  /** The ends of the connection, if it was upgraded. */
  get ends(): JoinedEnds | undefined {
    return this.joined;
  }

  /**
   * Carries the request, and fills in its record. Returns once the connection was upgraded, or the client has another response.
   *
   * @throws BodyLateError, TunnelFailedError and UpgradeUnsupportedError before the response has begun; the reason given to `abort` at any time
   */
  async run(): Promise<ForwardingOutcome> {
    const { record, config } = this.context;
    const body = await this.client.readBody(config.idleTimeoutMs);
    record.bytesIn = body.length;
    const channel = await this.openInTurn();
    const traced = tracedAttempt(this.context, record, 'channel', (head) =>
      encodeUpgradeRequest({ head, protocol: this.client.protocol }),
    );
    this.attempt = new StreamAttempt(traced, channel, body, this);
    // Its only stream: with it, the channel ends.
    channel.finish();
    const outcome = await this.attempt.run();
    endTracedAttempt(record, outcome, this.context.response.status);
    record.exchange = this.attempt.exchange;
    record.sealedOut = this.attempt.sealedBytes.out;
    record.sealedIn = this.attempt.sealedBytes.in;
    const cause = causeOf(outcome);
    if (isClientGone(cause)) {
      throw cause;
    }
    if (outcome.kind === 'completed') {
      return { status: outcome.status };
    }
    if (outcome.kind === 'cut-off') {
      return { error: outcome.cause };
    }
    throw tunnelFailure(outcome, isProvenUnforwarded(outcome) ? 'no' : 'maybe');
  }

  accept(head: Buffer, stream: Stream): void {
    const { fields, protocol } = decodeSwitching(head);
    if (!isSameProtocol(protocol, this.client.protocol)) {
      throw new HeadInvalidError('the 101 names another protocol than was asked for');
    }
    const { config } = this.context;
    const client = this.client.accept(clientFields(fields, config.tunnelResponseHeaders, config));
    this.joined = new JoinedEnds(
      client,
      new StreamEnd(stream, StreamCode.CANCEL),
      config.idleTimeoutMs,
    );
    this.joined.run();
  }

  /** Lets the peer continue after the client has caught up with a response other than 101. */
  resume(): void {
    this.attempt?.resume();
  }

  /** Gives up, unless the connection was upgraded. */
  abort(reason: Error): void {
    this.abortReason = reason;
    this.attempt?.abort(reason);
  }

  /** Opens a channel to the first origin of the peer that accepts one. An opening forwards nothing, whatever becomes of it. */
  private openInTurn(): Promise<PeerChannel> {
    return askInTurn(
      this.context,
      (peer) => this.open(peer),
      (error): error is RelayError =>
        this.abortReason === undefined &&
        (error instanceof TunnelFailedError || error instanceof UpgradeUnsupportedError),
    );
  }

  private async open(peer: Peer): Promise<PeerChannel> {
    const { channels, network } = this.context;
    const opened = await channels.open(peer, network);
    if ('kind' in opened) {
      throw this.abortReason ?? openingError(opened);
    }
    if (this.abortReason !== undefined || !opened.hasPlace) {
      // Nobody else would end it.
      opened.finish();
      throw (
        this.abortReason ??
        new TunnelFailedError(
          'RELAY_PEER_CONNECTION_LOST',
          'no',
          'the other relay has ended the channel for the connection',
        )
      );
    }
    return opened;
  }
}

/** Nothing was sent but the opening, which forwards nothing. */
function openingError(failure: OpeningFailure): Error {
  const { cause } = failure;
  switch (failure.kind) {
    case 'no-channels':
      if (cause instanceof OpeningTimeoutError) {
        // A path that is slow for once may carry channels: clients must not take it for one that never does.
        return new TunnelFailedError(
          'RELAY_PEER_TIMEOUT',
          'no',
          'the other relay did not accept a channel in time',
          { cause },
        );
      }
      return new UpgradeUnsupportedError(
        'something between the relays carries no WebSocket upgrade on /api/mte-channel, so this relay carries none either',
        { cause },
      );
    case 'unreached':
      return (
        unconnected(cause, 'no') ??
        new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'the other relay cannot be reached', {
          cause,
        })
      );
    case 'signed-error':
      return signedFailure(failure.signedError, 'no');
  }
}
