import {
  ChannelBrokenError,
  DEFAULT_WINDOW_BYTES,
  OutboundChannel,
  type OutboundStreamEvents,
  type OutgoingHead,
  type Stream,
  type WaitingOctets,
} from '@relay/channel';
import type { Clock } from '@relay/clock';
import {
  deriveRequestKey,
  deriveResponseKey,
  exchangeName,
  type ChannelType,
} from '@relay/protocol';

import { ChannelConnection, type ConnectionListener } from '../channels/channel-connection.js';
import type { ObservedChannel } from '../channels/channel-report.js';
import type { AcceptedChannel } from './channel-opener.js';
import type { SequenceReservation } from './peer-session.js';

/** How long the peer may take to end its direction after this side has. protocol.md section 11.2. */
const END_TIMEOUT_MS = 10_000;
/** A channel that has been open for so long shows that the path carries channels. */
const STEADY_MS = 10_000;

/** What a channel is for, and for how long. */
export interface PeerChannelTerms {
  readonly type: ChannelType;
  /** How many channels to this peer had been opened with this one. */
  readonly ordinal: number;
  /** Monotonic: from then on the channel is to be replaced. */
  readonly dueAtMs: number;
}

/** A channel to a peer, as the outbound role uses it. protocol.md section 11.6. */
export class PeerChannel {
  /** The name of the opening, the same in both relays' logs. */
  readonly exchange: string;
  private readonly connection: ChannelConnection<OutboundChannel>;
  private readonly startedAtMs: number;
  private endingSinceMs: number | undefined;
  private wasSteady = false;

  constructor(
    private readonly terms: PeerChannelTerms,
    accepted: AcceptedChannel,
    private readonly reservation: SequenceReservation,
    waiting: WaitingOctets,
    listener: ConnectionListener,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {
    this.startedAtMs = clock.monotonicMs();
    const { session, sequence } = reservation;
    const { socket, relayHeader, responseHeader } = accepted;
    this.exchange = exchangeName({ sid: session.sid, sequence });
    const options = {
      sealingKey: deriveRequestKey(session.keys, relayHeader),
      openingKey: deriveResponseKey(session.keys, relayHeader, responseHeader),
      isConnection: terms.type === 'conn',
      initialWindowBytes: DEFAULT_WINDOW_BYTES,
      waiting,
    };
    this.connection = new ChannelConnection(
      socket,
      clock,
      (transport, events) => new OutboundChannel(options, transport, events),
      listener,
    );
  }

  /** How many channels to the peer had been opened with this one. */
  get ordinal(): number {
    return this.terms.ordinal;
  }

  /** Whether a stream may be opened. */
  get hasPlace(): boolean {
    return this.connection.channel.hasPlace;
  }

  /** Whether all places are taken; a channel that has not opened yet is not full. */
  get isFull(): boolean {
    return this.connection.hasOpened && !this.hasPlace;
  }

  /** Streams that have a place. */
  get streamCount(): number {
    return this.connection.channel.streamCount;
  }

  /** Whether the channel takes no new streams, or none yet. */
  get isClosing(): boolean {
    return this.connection.channel.isDraining;
  }

  /** What is reported of the channel. */
  get observed(): ObservedChannel {
    return this.connection.channel;
  }

  /** Whether the peer has sent its first record. */
  get hasOpened(): boolean {
    return this.connection.hasOpened;
  }

  /** Whether the channel has now been open for long enough to trust its path; true once. */
  becomesSteady(nowMs: number): boolean {
    const becomes = !this.wasSteady && this.isSteady(nowMs);
    this.wasSteady ||= becomes;
    return becomes;
  }

  /** Whether the channel has been open for long enough to trust its path. */
  isSteady(nowMs: number): boolean {
    return this.hasOpened && nowMs >= this.startedAtMs + STEADY_MS;
  }

  /**
   * Whether another channel should take the place of this one. Until there is another, it takes streams: without a session store,
   * there will be none.
   */
  isDue(nowMs: number): boolean {
    return (
      nowMs >= this.terms.dueAtMs ||
      !this.reservation.session.isUsable(nowMs) ||
      this.connection.channel.isWornOut
    );
  }

  /** Opens a stream. Only if `hasPlace`. */
  openStream(head: OutgoingHead, events: OutboundStreamEvents): Stream {
    return this.connection.channel.openStream(head, events);
  }

  /** Opens no more streams, and ends the channel once it has none left. */
  finish(): void {
    this.connection.channel.finish();
  }

  /** To be called about once a second. */
  check(): void {
    this.connection.check();
    if (!this.connection.channel.isEnding) {
      return;
    }
    const nowMs = this.clock.monotonicMs();
    this.endingSinceMs ??= nowMs;
    if (nowMs - this.endingSinceMs >= END_TIMEOUT_MS) {
      this.terminate(new ChannelBrokenError('the peer did not end its direction in time'));
    }
  }

  /** Ends the channel at once. */
  terminate(cause: Error): void {
    this.connection.terminate(cause);
  }
}
