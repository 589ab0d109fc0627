import type { ChannelEvents } from './channel-options.js';
import { StreamCode } from './frame.js';
import { ReceivingSide, type ReceivingEvents } from './receiving-side.js';
import type { RecordContent } from './record-content.js';
import { SendingSide, type OutgoingHead } from './sending-side.js';
import type { Stream, StreamEvents, StreamFailure } from './stream.js';
import type { Turn } from './turns.js';
import type { WaitingOctets } from './waiting-octets.js';
import { ReceiveWindow, SendWindow } from './windows.js';

/** What a stream needs of its channel. */
export interface StreamChannel {
  /** The stream has something to send, or its place may be free. */
  update(stream: ChannelStream): void;
  /** The peer may send so many octets more on this stream. */
  grant(stream: ChannelStream, increment: number): void;
}

/** The windows and limits that the streams of a channel share. */
export interface StreamLimits {
  /** Octets that this side accepts at first. */
  readonly receiveWindowBytes: number;
  /** Octets that the peer accepts at first. */
  readonly sendWindowBytes: number;
  /** What waits for slow consumers in the whole process. */
  readonly waiting: WaitingOctets;
  /** What hears of the streams that this side resets. */
  readonly events: Pick<ChannelEvents, 'onReset'>;
}

/** A stream as its channel sees it. */
export class ChannelStream implements Stream, ReceivingEvents {
  /** Its place in the order of turns. */
  readonly turn: Turn<ChannelStream> = { isWaiting: false, previous: undefined, next: undefined };
  /** Odd; 0 until the head enters a record. */
  private number = 0;
  private readonly sending: SendingSide;
  private readonly receiving: ReceivingSide;
  private events: StreamEvents | undefined;
  private hasHead = false;
  private hasPeerEnded = false;
  private isOver = false;
  /** Records with frames of this stream that have not left the socket. */
  private unsentRecords = 0;
  private isReleased: boolean;
  /** When the peer last took octets that waited for it, and how many it had taken by then. */
  private readonly progress = { atMs: 0, bytes: -1 };

  /** @param isReleased - whether no exchange with an upstream keeps the place of this stream */
  constructor(
    private readonly channel: StreamChannel,
    private readonly limits: StreamLimits,
    isReleased: boolean,
  ) {
    this.isReleased = isReleased;
    this.sending = new SendingSide(new SendWindow(limits.sendWindowBytes));
    const window = new ReceiveWindow(limits.receiveWindowBytes);
    this.receiving = new ReceivingSide(window, limits.waiting, this);
  }

  get id(): number {
    return this.number;
  }

  /** Whether nothing more is to be received or sent, in either direction. */
  get isClosed(): boolean {
    return this.isOver || this.sending.isReset || (this.hasPeerEnded && this.sending.hasEnded);
  }

  /** Whether the place of the stream may be given to another. protocol.md section 11.3. */
  get isFree(): boolean {
    return this.isClosed && this.unsentRecords === 0 && this.isReleased;
  }

  start(head: OutgoingHead): void {
    this.send(() => {
      this.sending.start(head);
    });
  }

  write(octets: Buffer): boolean {
    let goesOn = true;
    this.send(() => {
      goesOn = this.sending.write(octets);
    });
    return goesOn;
  }

  end(octets?: Buffer): void {
    this.send(() => {
      if (octets !== undefined) {
        this.sending.write(octets);
      }
      this.sending.end();
    });
  }

  reset(code: number): void {
    this.events = undefined;
    this.receiving.close();
    this.send(() => {
      this.sending.reset(code);
    });
    if (this.number === 0) {
      this.isOver = true;
      this.channel.update(this);
    }
  }

  resume(): void {
    this.receiving.resume();
  }

  expect(bytes: number | undefined): void {
    this.receiving.expect(bytes);
  }

  release(): void {
    this.isReleased = true;
    this.channel.update(this);
  }

  onData(octets: Buffer): boolean {
    return this.events?.onData(octets) ?? true;
  }

  onEnd(): void {
    this.events?.onEnd();
  }

  onWrongLength(cause: Error): void {
    this.fail('wrong-length', cause);
  }

  onDiscarded(): void {
    this.fail('discarded');
  }

  onGrant(increment: number): void {
    this.channel.grant(this, increment);
  }

  /** Whether HEADERS of the peer have arrived. */
  get hasReceivedHead(): boolean {
    return this.hasHead;
  }

  /** Whether END_STREAM of the peer has arrived. */
  get hasReceivedEnd(): boolean {
    return this.hasPeerEnded;
  }

  /** Whether something of the stream can be put into a record now. */
  get isReady(): boolean {
    return !this.isOver && this.sending.isReady;
  }

  /** Whether only a RST_STREAM is to be sent. */
  get isOnlyReset(): boolean {
    return this.sending.isOnlyReset;
  }

  /** How long the head is that was not sent yet; 0 if there is none. */
  get headBytes(): number {
    return this.sending.headBytes;
  }

  /** Gives the stream its number. */
  assign(id: number): void {
    this.number = id;
  }

  listen(events: StreamEvents): void {
    this.events = events;
  }

  /** Ends the stream if the peer takes none of the octets that wait for it. @param nowMs - of a clock that never goes back */
  checkStalled(nowMs: number, limitMs: number): void {
    const { progress, sending } = this;
    if (!sending.isWaiting || sending.takenBytes !== progress.bytes) {
      progress.atMs = nowMs;
      progress.bytes = sending.takenBytes;
    } else if (nowMs - progress.atMs >= limitMs) {
      this.fail('stalled');
      this.reset(StreamCode.INTERNAL_ERROR);
    }
  }

  /** HEADERS of the peer have arrived. */
  receiveHead(isLast: boolean): void {
    this.hasHead = true;
    this.hasPeerEnded = isLast;
  }

  /** Tells the head that was just received. */
  giveHead(head: Buffer, isLast: boolean, isUpgrade: boolean): void {
    this.events?.onHead?.(head, isLast, isUpgrade);
  }

  /** No body follows the head that was just received. */
  completeReceiving(): void {
    this.receiving.receive(Buffer.alloc(0), true);
  }

  /** @throws ChannelBrokenError if the peer was not granted as many octets */
  receiveData(octets: Buffer, isLast: boolean): void {
    this.hasPeerEnded = isLast;
    this.receiving.receive(octets, isLast);
  }

  /** @throws ChannelBrokenError if the peer may not grant as many octets */
  receiveGrant(increment: number): void {
    this.sending.grant(increment);
    this.channel.update(this);
  }

  /** The stream has ended at the peer, or with the channel; nothing more is sent on it. */
  receiveReset(failure: StreamFailure): void {
    this.sending.forget();
    this.isOver = true;
    this.fail(failure);
    this.channel.update(this);
  }

  /** The peer wants nothing more, and has said everything. */
  receiveUnwanted(): void {
    this.sending.forget();
    this.isOver = true;
    this.events?.onUnwanted();
    this.channel.update(this);
  }

  /** Puts what fits into a record. @returns false if something is left for which it has no room */
  fill(content: RecordContent, mostOctets: number): boolean {
    const wasReset = this.sending.isReset;
    const isDone = this.sending.fill(content, this.number, mostOctets);
    if (this.sending.isReset && !wasReset) {
      this.limits.events.onReset(this.sending.code, true);
    }
    return isDone;
  }

  /** A record with frames of the stream was handed to the transport. */
  recordMade(): void {
    this.unsentRecords += 1;
    if (this.sending.takeDrained()) {
      this.events?.onDrain();
    }
  }

  /** That record has left the socket. */
  recordLeft(): void {
    this.unsentRecords -= 1;
    this.channel.update(this);
  }

  private send(change: () => void): void {
    if (!this.isClosed) {
      change();
      this.channel.update(this);
    }
  }

  private fail(failure: StreamFailure, cause?: Error): void {
    const { events } = this;
    this.events = undefined;
    this.receiving.close();
    events?.onFailure(failure, cause);
  }
}
