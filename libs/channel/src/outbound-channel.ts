import { Channel } from './channel.js';
import type { ChannelEvents, ChannelOptions, ChannelTransport } from './channel-options.js';
import { ChannelBrokenError } from './channel.errors.js';
import { ChannelStream } from './channel-stream.js';
import { StreamCode, type Frame } from './frame.js';
import type { RecordContent } from './record-content.js';
import type { OutgoingHead } from './sending-side.js';
import { failureOf, type Stream, type StreamEvents } from './stream.js';
import type { Settings } from './settings.js';

/** What a stream tells the relay that opened it. */
export interface OutboundStreamEvents extends StreamEvents {
  /** The head of the response. @param head - not decoded; shares memory that is released with it */
  onHead(head: Buffer, isLast: boolean, isUpgrade: boolean): void;
}

/** The end of a channel at the outbound relay, which opens streams. protocol.md section 11. */
export class OutboundChannel extends Channel {
  /** Streams that were opened and have no number yet. */
  private readonly unnumbered: ChannelStream[] = [];
  private nextId = 1;
  /** As the peer has said with GOAWAY. */
  private lastStream = Infinity;
  private isFinishing = false;

  constructor(options: ChannelOptions, transport: ChannelTransport, events: ChannelEvents) {
    super(options, transport, events);
    this.open();
  }

  /** Whether a stream may be opened now. */
  get hasPlace(): boolean {
    const most = this.peerSettings?.maxConcurrentStreams ?? 0;
    return !this.isOver && !this.isDraining && this.streamCount < most;
  }

  /** Streams that were opened so far. */
  get openedStreams(): number {
    return (this.nextId - 1) / 2;
  }

  /** How many streams have a place, or wait for their number. */
  override get streamCount(): number {
    return this.streams.size + this.unnumbered.length;
  }

  /** Whether the channel takes no new streams. */
  get isDraining(): boolean {
    return this.isFinishing || this.lastStream !== Infinity;
  }

  /** Whether this side has ended its direction, and the peer has not yet. */
  get isEnding(): boolean {
    return this.hasSentLast && !this.isOver;
  }

  /** Opens a stream. Only if `hasPlace`. */
  openStream(head: OutgoingHead, events: OutboundStreamEvents): Stream {
    const stream = new ChannelStream(this, this.limits(), true);
    this.unnumbered.push(stream);
    stream.listen(events);
    stream.start(head);
    return stream;
  }

  /** Opens no more streams, and ends the channel in order once it has none left. */
  finish(): void {
    if (!this.isFinishing) {
      this.isFinishing = true;
      this.events.onDraining();
      this.wake();
    }
  }

  protected checkSettings({ maxConcurrentStreams }: Settings): void {
    if (maxConcurrentStreams === undefined || maxConcurrentStreams < 1) {
      throw new ChannelBrokenError('the peer does not say how many streams it allows');
    }
  }

  protected receiveHead({ stream: id, head, isLast, isUpgrade }: Frame & { type: 1 }): void {
    if (isUpgrade && !this.options.isConnection) {
      throw new ChannelBrokenError('UPGRADE stands in a channel of many streams');
    }
    const stream = this.streams.get(id);
    if (stream === undefined || stream.isClosed) {
      // The response to a stream that this side has reset may have been on its way.
      if (!this.wasUsed(id)) {
        throw new ChannelBrokenError(`HEADERS are for stream ${id}, which was never opened`);
      }
      return;
    }
    if (stream.hasReceivedHead) {
      throw new ChannelBrokenError('a stream has a second HEADERS');
    }
    stream.receiveHead(isLast);
    stream.giveHead(head, isLast, isUpgrade);
    if (isLast) {
      stream.completeReceiving();
    }
    this.update(stream);
  }

  protected receiveGoAway(lastStream: number): void {
    if (lastStream > this.lastStream) {
      throw new ChannelBrokenError('the last stream of GOAWAY has risen');
    }
    const isFirst = this.lastStream === Infinity;
    this.lastStream = lastStream;
    for (const stream of [...this.unnumbered]) {
      stream.receiveReset('not-sent');
    }
    for (const stream of this.streams.all()) {
      if (stream.id > lastStream) {
        stream.receiveReset('not-forwarded');
      }
    }
    if (isFirst) {
      this.events.onDraining();
    }
  }

  protected receiveReset(stream: ChannelStream, code: number): void {
    this.events.onReset(code, false);
    if (code === StreamCode.NO_ERROR && stream.hasReceivedEnd) {
      stream.receiveUnwanted();
    } else {
      stream.receiveReset(failureOf(code, stream.hasReceivedHead));
    }
  }

  protected receiveLast(): void {
    if (!this.hasSentLast) {
      throw new ChannelBrokenError('the peer has ended the channel unasked');
    }
  }

  protected wasUsed(id: number): boolean {
    return id % 2 === 1 && id < this.nextId;
  }

  protected fillControls(): void {
    // PING and WINDOW_UPDATE are all that this side sends.
  }

  protected prepare(stream: ChannelStream, content: RecordContent): boolean {
    if (stream.id !== 0) {
      return true;
    }
    if (content.room < stream.headBytes) {
      return false;
    }
    stream.assign(this.nextId);
    this.nextId += 2;
    this.removeUnnumbered(stream);
    this.streams.add(stream);
    return true;
  }

  protected isLastDue(): boolean {
    return this.isFinishing && this.streamCount === 0;
  }

  protected forget(stream: ChannelStream): void {
    this.removeUnnumbered(stream);
    this.streams.remove(stream.id);
  }

  protected allStreams(): ChannelStream[] {
    return [...this.unnumbered, ...this.streams.all()];
  }

  private removeUnnumbered(stream: ChannelStream): void {
    const at = this.unnumbered.indexOf(stream);
    if (at !== -1) {
      this.unnumbered.splice(at, 1);
    }
  }
}
