import { RelayError } from '@relay/errors';

import { ChannelBrokenError } from './channel.errors.js';
import type { ChannelEvents, ChannelOptions, ChannelTransport } from './channel-options.js';
import type { ChannelStream, StreamChannel, StreamLimits } from './channel-stream.js';
import { decodeFrames } from './decode-frames.js';
import { FrameType, RECORDS_PER_KEY, type Frame } from './frame.js';
import { Grants } from './grants.js';
import { IncomingRecords } from './incoming-records.js';
import { OutgoingRecords } from './outgoing-records.js';
import { Pings } from './pings.js';
import { RecordContent } from './record-content.js';
import { decodeSettings, encodeSettings, type Settings } from './settings.js';
import { StreamTable } from './stream-table.js';
import { Turns } from './turns.js';

/**
 * One end of a channel: turns records into frames and streams, and what streams send into records. It knows no socket and no
 * clock: the transport carries records, and the caller says when time has passed. protocol.md section 11.
 */
export abstract class Channel implements StreamChannel {
  /** Streams that have a number and a place. */
  protected readonly streams = new StreamTable();
  protected peerSettings: Settings | undefined;
  protected isOver = false;
  /** Whether this side has ended its direction. */
  protected hasSentLast = false;
  private readonly outgoing: OutgoingRecords;
  private readonly incoming: IncomingRecords;
  private readonly pings = new Pings();
  private readonly turns = new Turns<ChannelStream>();
  private readonly grants = new Grants();
  private isScheduled = false;

  constructor(
    protected readonly options: ChannelOptions,
    private readonly transport: ChannelTransport,
    protected readonly events: ChannelEvents,
  ) {
    this.outgoing = new OutgoingRecords(options.sealingKey, transport);
    this.incoming = new IncomingRecords(options.openingKey);
  }

  /** Whether so many records have passed that the channel should be replaced. protocol.md section 11.2. */
  get isWornOut(): boolean {
    return this.outgoing.count >= RECORDS_PER_KEY || this.incoming.count >= RECORDS_PER_KEY;
  }

  /** Streams that have a place now. */
  get streamCount(): number {
    return this.streams.size;
  }

  /** Records sent and received. */
  get recordCount(): number {
    return this.outgoing.count + this.incoming.count;
  }

  /**
   * Takes one message of the transport, which must be exactly one record. If it breaks a rule, the channel is broken.
   *
   * @param message - not modified and not kept
   */
  receive(message: Buffer): void {
    this.breakOnError(() => {
      this.receiveRecord(message);
    });
  }

  /** To be called about once a second. @param nowMs - of a clock that never goes back */
  checkLiveness(nowMs: number): void {
    this.breakOnError(() => {
      if (this.outgoing.areUnsent) {
        this.pings.trafficPassed();
      }
      if (this.pings.check(nowMs)) {
        this.wake();
      }
    });
  }

  /** The transport has ended, or the caller gives the channel up: every stream has broken, unless both sides had ended. */
  break(cause: Error): void {
    if (this.isOver) {
      return;
    }
    this.isOver = true;
    for (const stream of this.allStreams()) {
      stream.receiveReset(stream.id === 0 ? 'not-sent' : 'broken');
    }
    this.events.onBroken(cause);
  }

  /** The transport has room again. */
  drained(): void {
    if (!this.turns.isEmpty) {
      this.wake();
    }
  }

  update(stream: ChannelStream): void {
    if (this.isOver) {
      return;
    }
    if (this.turns.update(stream)) {
      this.wake();
    }
    if (stream.isFree) {
      this.forget(stream);
      this.wake();
    }
  }

  grant(stream: ChannelStream, increment: number): void {
    this.grants.add(stream, increment);
    this.wake();
  }

  /** Sends the first record. */
  protected open(maxConcurrentStreams?: number): void {
    const { initialWindowBytes } = this.options;
    this.outgoing.sendFirst(encodeSettings({ maxConcurrentStreams, initialWindowBytes }));
  }

  /** The windows of a new stream. */
  protected limits(): StreamLimits {
    return {
      receiveWindowBytes: this.options.initialWindowBytes,
      sendWindowBytes: this.peerSettings?.initialWindowBytes ?? 0,
      waiting: this.options.waiting,
      events: this.events,
    };
  }

  /** Asks for a record at the end of this turn. */
  protected wake(): void {
    if (!this.isScheduled && !this.isOver) {
      this.isScheduled = true;
      this.transport.schedule(() => {
        this.isScheduled = false;
        this.flush();
      });
    }
  }

  /** @throws ChannelBrokenError if the settings are not allowed from this peer */
  protected abstract checkSettings(settings: Settings): void;
  /** @throws ChannelBrokenError if the head is not allowed at its place */
  protected abstract receiveHead(frame: Frame & { readonly type: 1 }): void;
  /** @throws ChannelBrokenError if the frame is not allowed from this peer */
  protected abstract receiveGoAway(lastStream: number): void;
  protected abstract receiveReset(stream: ChannelStream, code: number): void;
  /** @throws ChannelBrokenError if the peer may not end its direction now */
  protected abstract receiveLast(): void;
  /** Whether this number was given to a stream, perhaps to one that has ended. */
  protected abstract wasUsed(id: number): boolean;
  /** Frames that stand before those of streams. */
  protected abstract fillControls(content: RecordContent): void;
  /** Called before a stream is put into a record. @returns false if it has no room for the head of the stream */
  protected abstract prepare(stream: ChannelStream, content: RecordContent): boolean;
  /** Whether this side ends its direction now. */
  protected abstract isLastDue(): boolean;
  protected abstract forget(stream: ChannelStream): void;
  protected abstract allStreams(): Iterable<ChannelStream>;

  private receiveRecord(message: Buffer): void {
    const isFirst = this.incoming.count === 0;
    const { content, isLast } = this.incoming.open(message);
    this.pings.recordReceived();
    if (isFirst) {
      this.receiveSettings(content, isLast);
      return;
    }
    for (const frame of decodeFrames(content)) {
      if (this.isOver) {
        return;
      }
      this.receiveFrame(frame);
    }
    if (isLast) {
      this.receiveLast();
      this.endIfDone();
    }
  }

  private receiveSettings(content: Buffer, isLast: boolean): void {
    if (isLast) {
      throw new ChannelBrokenError('the first record is the last');
    }
    const settings = decodeSettings(content);
    this.checkSettings(settings);
    this.peerSettings = settings;
    this.events.onOpen();
  }

  private receiveFrame(frame: Frame): void {
    switch (frame.type) {
      case FrameType.HEADERS:
        this.pings.trafficPassed();
        this.receiveHead(frame);
        return;
      case FrameType.GOAWAY:
        this.receiveGoAway(frame.lastStream);
        return;
      case FrameType.PING:
        if (this.pings.receive(frame.octets, frame.isAck)) {
          this.wake();
        }
        return;
      case FrameType.DATA:
      case FrameType.RST_STREAM:
      case FrameType.WINDOW_UPDATE:
        this.receiveStreamFrame(frame);
    }
  }

  private receiveStreamFrame(frame: Frame & { readonly type: 0 | 3 | 8 }): void {
    this.pings.trafficPassed();
    const stream = this.streams.get(frame.stream);
    if (stream === undefined || stream.isClosed) {
      if (!this.wasUsed(frame.stream)) {
        throw new ChannelBrokenError(`a frame is for stream ${frame.stream}, which does not exist`);
      }
      return;
    }
    if (frame.type === FrameType.WINDOW_UPDATE) {
      stream.receiveGrant(frame.increment);
    } else if (frame.type === FrameType.RST_STREAM) {
      this.receiveReset(stream, frame.code);
    } else if (!stream.hasReceivedHead || stream.hasReceivedEnd) {
      throw new ChannelBrokenError('DATA stands before HEADERS or behind END_STREAM');
    } else {
      stream.receiveData(frame.octets, frame.isLast);
      this.update(stream);
    }
  }

  /** Makes records of what has gathered. protocol.md section 11.4. */
  private flush(): void {
    while (!this.isOver && !this.hasSentLast) {
      const content = new RecordContent();
      const hasPing = this.pings.fill(content);
      this.grants.fill(content);
      this.fillControls(content);
      const filled = this.turns.fill(content, this.outgoing.areBlocked, (stream) =>
        this.prepare(stream, content),
      );
      if (content.isEmpty) {
        break;
      }
      this.sendRecord(content, filled, hasPing);
    }
    if (!this.isOver && !this.hasSentLast && this.isLastDue()) {
      this.hasSentLast = true;
      this.outgoing.sendLast();
      this.endIfDone();
    }
  }

  private sendRecord(content: RecordContent, filled: Set<ChannelStream>, hasPing: boolean): void {
    this.outgoing.send(content, () => {
      if (hasPing) {
        this.pings.left();
      }
      for (const stream of filled) {
        stream.recordLeft();
      }
    });
    for (const stream of filled) {
      stream.recordMade();
    }
    if (this.outgoing.areStuck) {
      this.break(new ChannelBrokenError('the peer does not read'));
    }
  }

  private endIfDone(): void {
    if (this.hasSentLast && this.incoming.isComplete && !this.isOver) {
      this.isOver = true;
      this.events.onEnd();
    }
  }

  private breakOnError(action: () => void): void {
    if (this.isOver) {
      return;
    }
    try {
      action();
    } catch (error) {
      if (!(error instanceof RelayError)) {
        throw error;
      }
      this.break(error);
    }
  }
}
