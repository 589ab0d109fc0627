import {
  DEFAULT_WINDOW_BYTES,
  OutboundChannel,
  type OutboundStreamEvents,
  type OutgoingHead,
  type Stream,
  type WaitingOctets,
} from '@relay/channel';
import type { Clock } from '@relay/clock';
import { deriveRequestKey, deriveResponseKey, exchangeName } from '@relay/protocol';

import { ChannelConnection, type ConnectionListener } from '../channels/channel-connection.js';
import type { AcceptedChannel } from './channel-opener.js';
import type { SequenceReservation } from './peer-session.js';

/** How long a channel that is to be replaced still takes streams while there is no other. protocol.md section 11.6. */
const REPLACEMENT_MS = 10_000;

/** A channel to a peer, as the outbound role uses it. protocol.md section 11.6. */
export class PeerChannel {
  /** The name of the opening, the same in both relays' logs. */
  readonly exchange: string;
  private readonly connection: ChannelConnection<OutboundChannel>;

  /**
   * @param ordinal - how many channels to this peer had been opened with this one
   * @param dueAtMs - monotonic; from then on the channel is to be replaced
   */
  constructor(
    readonly ordinal: number,
    accepted: AcceptedChannel,
    private readonly reservation: SequenceReservation,
    waiting: WaitingOctets,
    listener: ConnectionListener,
    clock: Pick<Clock, 'monotonicMs'>,
    private readonly dueAtMs: number,
  ) {
    const { session, sequence } = reservation;
    const { socket, relayHeader, responseHeader } = accepted;
    this.exchange = exchangeName({ sid: session.sid, sequence });
    const options = {
      sealingKey: deriveRequestKey(session.keys, relayHeader),
      openingKey: deriveResponseKey(session.keys, relayHeader, responseHeader),
      isConnection: false,
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

  /** Whether a stream may be opened. */
  get hasPlace(): boolean {
    return this.connection.channel.hasPlace;
  }

  /** Whether all places are taken; a channel that has not opened yet is not full. */
  get isFull(): boolean {
    return this.connection.isOpen && !this.hasPlace;
  }

  /** Streams that have a place. */
  get occupied(): number {
    return this.connection.channel.occupied;
  }

  /** Whether the channel takes no new streams, or none yet. */
  get isClosing(): boolean {
    return this.connection.channel.isDraining;
  }

  /** Records sent and received. */
  get recordCount(): number {
    return this.connection.channel.recordCount;
  }

  /** Whether another channel should take the place of this one. */
  isDue(nowMs: number): boolean {
    return (
      nowMs >= this.dueAtMs ||
      !this.reservation.session.isUsable(nowMs) ||
      this.connection.channel.isWornOut
    );
  }

  /** Whether the channel has waited for its replacement for long enough. */
  isOverdue(nowMs: number): boolean {
    return nowMs >= this.dueAtMs + REPLACEMENT_MS;
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
  }

  /** Ends the channel at once. */
  terminate(cause: Error): void {
    this.connection.terminate(cause);
  }
}
