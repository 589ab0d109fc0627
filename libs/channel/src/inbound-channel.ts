import { Channel } from './channel.js';
import type { ChannelEvents, ChannelOptions, ChannelTransport } from './channel-options.js';
import { ChannelBrokenError } from './channel.errors.js';
import { ChannelStream } from './channel-stream.js';
import { FrameType, StreamCode, type Frame } from './frame.js';
import type { RecordContent } from './record-content.js';
import type { Stream, StreamEvents } from './stream.js';

/** What a channel tells the inbound relay. */
export interface InboundChannelEvents extends ChannelEvents {
  /**
   * The peer has opened a stream.
   *
   * @param head - of the request; not decoded
   * @returns what shall hear of the stream
   */
  onStream(stream: Stream, head: Buffer, isLast: boolean): StreamEvents;
}

/** What the inbound relay adds to a channel. */
export interface InboundChannelOptions extends ChannelOptions {
  /** How many streams may be open at once: 1 or more. */
  readonly maxConcurrentStreams: number;
  /** How long octets of a response may wait while the peer takes none of them; 0: no limit. */
  readonly stallTimeoutMs: number;
}

/** The end of a channel at the inbound relay, which accepts streams. protocol.md section 11. */
export class InboundChannel extends Channel {
  /** Streams that the peer has reset and whose exchange goes on. Up to the limit of others, they take no place. */
  private readonly abandoned = new Set<ChannelStream>();
  /** Streams that had no place: they are refused with the next record. */
  private readonly refused = new Set<number>();
  private highestId = -1;
  /** As said to the peer with GOAWAY. */
  private lastStream = Infinity;
  private isGoAwayDue = false;
  private hasPeerEnded = false;

  constructor(
    protected override readonly options: InboundChannelOptions,
    transport: ChannelTransport,
    protected override readonly events: InboundChannelEvents,
  ) {
    super(options, transport, events);
    this.open(options.maxConcurrentStreams);
  }

  /** Streams that were opened so far. */
  get openedStreams(): number {
    return (this.highestId + 1) / 2;
  }

  /** Whether the channel takes no new streams. */
  get isDraining(): boolean {
    return this.lastStream !== Infinity;
  }

  /** Forwards the streams that it has and no further ones. */
  goAway(): void {
    if (!this.isDraining) {
      this.lastStream = Math.max(this.highestId, 0);
      this.isGoAwayDue = true;
      this.events.onDraining();
      this.wake();
    }
  }

  /** The peer ends what stalls on its side itself. One that does not must not keep the places of its streams. */
  override checkLiveness(nowMs: number): void {
    const { stallTimeoutMs } = this.options;
    if (stallTimeoutMs > 0) {
      for (const stream of this.streams.all()) {
        stream.checkStalled(nowMs, stallTimeoutMs);
      }
    }
    super.checkLiveness(nowMs);
  }

  protected checkSettings(): void {
    // The outbound relay need not say anything.
  }

  protected receiveHead({ stream: id, head, isLast, isUpgrade }: Frame & { type: 1 }): void {
    this.checkKind(id, isUpgrade);
    if (id !== this.highestId + 2) {
      throw new ChannelBrokenError(`HEADERS open stream ${id} out of turn`);
    }
    this.highestId = id;
    if (id > this.lastStream) {
      return;
    }
    if (!this.hasPlace()) {
      this.refused.add(id);
      this.wake();
      return;
    }
    const stream = new ChannelStream(this, this.limits(), false);
    stream.assign(id);
    stream.receiveHead(isLast);
    this.streams.add(stream);
    stream.listen(this.events.onStream(stream, head, isLast));
    if (isLast) {
      stream.completeReceiving();
    }
    if (this.isWornOut) {
      this.goAway();
    }
  }

  protected receiveGoAway(): void {
    throw new ChannelBrokenError('GOAWAY came from the outbound relay');
  }

  protected receiveReset(stream: ChannelStream, code: number): void {
    this.events.onReset(code, false);
    this.abandoned.add(stream);
    stream.receiveReset('reset');
  }

  protected receiveLast(): void {
    this.hasPeerEnded = true;
    this.wake();
  }

  protected wasUsed(id: number): boolean {
    return id % 2 === 1 && id <= this.highestId;
  }

  protected fillControls(content: RecordContent): void {
    if (this.isGoAwayDue) {
      content.appendNumbers(FrameType.GOAWAY, 0, this.lastStream, StreamCode.NO_ERROR);
      this.isGoAwayDue = false;
    }
    for (const id of this.refused) {
      if (content.room < 4) {
        return;
      }
      content.appendNumbers(FrameType.RST_STREAM, id, StreamCode.REFUSED_STREAM);
      this.refused.delete(id);
      this.events.onReset(StreamCode.REFUSED_STREAM, true);
    }
  }

  protected prepare(): boolean {
    return true;
  }

  protected isLastDue(): boolean {
    return this.hasPeerEnded && this.streams.size === 0;
  }

  protected forget(stream: ChannelStream): void {
    this.streams.remove(stream.id);
    this.abandoned.delete(stream);
  }

  protected allStreams(): ChannelStream[] {
    return this.streams.all();
  }

  private checkKind(id: number, isUpgrade: boolean): void {
    if (isUpgrade !== this.options.isConnection) {
      throw new ChannelBrokenError('a channel has a stream of the other kind');
    }
    if (this.options.isConnection && id !== 1) {
      throw new ChannelBrokenError('an upgraded connection has a second stream');
    }
  }

  private hasPlace(): boolean {
    const most = this.options.maxConcurrentStreams;
    const occupied = this.streams.size - Math.min(this.abandoned.size, most);
    return occupied < most && this.options.waiting.isAmple;
  }
}
