import { END_STREAM, FrameType, StreamCode, UPGRADE } from './frame.js';
import type { RecordContent } from './record-content.js';
import type { SendWindow } from './windows.js';

/** A head that is to be sent. */
export interface OutgoingHead {
  /** The encoded head of protocol.md section 6: 1 … 65,536 bytes. */
  readonly bytes: Buffer;
  /** Whether no body follows. */
  readonly isLast: boolean;
  /** Whether the stream is an upgraded connection. */
  readonly isUpgrade: boolean;
}

/** From here on a writer is asked to wait. */
const HIGH_WATER_BYTES = 65_536;

/** What one side of a stream still has to send: a head, octets, an end or a reset, in this order. protocol.md section 11.4. */
export class SendingSide {
  private head: OutgoingHead | undefined;
  private chunks: Buffer[] = [];
  /** How much of the first chunk was sent. */
  private offset = 0;
  private waiting = 0;
  private taken = 0;
  private isEndQueued = false;
  private resetCode: number | undefined;
  private hasSentEnd = false;
  private hasSentReset = false;
  private isFull = false;

  constructor(private readonly window: SendWindow) {}

  /** Whether this direction has ended with END_STREAM. */
  get hasEnded(): boolean {
    return this.hasSentEnd;
  }

  /** Whether a RST_STREAM was sent. */
  get isReset(): boolean {
    return this.hasSentReset;
  }

  /** The code of the RST_STREAM that was sent or is to be sent. */
  get code(): number {
    return this.resetCode ?? StreamCode.NO_ERROR;
  }

  /** Whether octets wait for the peer or the socket to take them. */
  get isWaiting(): boolean {
    return this.waiting > 0;
  }

  /** Octets that were put into records so far. */
  get takenBytes(): number {
    return this.taken;
  }

  /** Whether something can be put into a record now. */
  get isReady(): boolean {
    if (this.hasSentReset) {
      return false;
    }
    return this.head !== undefined || this.canSendOctets || this.isEndDue || this.isResetDue;
  }

  /** Whether a writer that was asked to wait may go on. */
  takeDrained(): boolean {
    if (!this.isFull || this.waiting >= HIGH_WATER_BYTES) {
      return false;
    }
    this.isFull = false;
    return true;
  }

  /** How long the head is that was not sent yet; 0 if there is none. */
  get headBytes(): number {
    return this.head?.bytes.length ?? 0;
  }

  /** Whether only a RST_STREAM is to be sent. */
  get isOnlyReset(): boolean {
    return this.isResetDue && this.head === undefined && this.waiting === 0;
  }

  /** Queues the head. */
  start(head: OutgoingHead): void {
    this.head = head;
  }

  /** Queues octets. @param octets - kept, not copied @returns false if the writer should wait */
  write(octets: Buffer): boolean {
    if (this.resetCode !== undefined) {
      return true;
    }
    if (octets.length > 0) {
      this.chunks.push(octets);
      this.waiting += octets.length;
    }
    this.isFull ||= this.waiting >= HIGH_WATER_BYTES;
    return !this.isFull;
  }

  /** Queues the end. */
  end(): void {
    this.isEndQueued = this.resetCode === undefined;
  }

  /**
   * Queues RST_STREAM. What was not sent is forgotten; with NO_ERROR, the reset follows the end instead. The first error is what
   * the peer is told: others may only follow from it.
   */
  reset(code: number): void {
    if (this.hasSentReset || this.code !== StreamCode.NO_ERROR) {
      return;
    }
    this.resetCode = code;
    if (code !== StreamCode.NO_ERROR) {
      this.forget();
    }
  }

  /** Forgets what was not sent. */
  forget(): void {
    this.head = undefined;
    this.chunks = [];
    this.offset = 0;
    this.waiting = 0;
    this.isEndQueued = false;
  }

  /** The peer accepts more octets. @throws ChannelBrokenError if it may not grant as many */
  grant(increment: number): void {
    this.window.grant(increment);
  }

  /**
   * Appends what fits.
   *
   * @param mostOctets - of DATA, in this turn
   * @returns whether this was all that may go into this record: false if something is left for which it has no room
   */
  fill(content: RecordContent, stream: number, mostOctets: number): boolean {
    if (this.head !== undefined && !this.fillHead(this.head, content, stream)) {
      return false;
    }
    if (!this.fillOctets(content, stream, mostOctets)) {
      return false;
    }
    return this.fillReset(content, stream);
  }

  private get canSendOctets(): boolean {
    return this.waiting > 0 && this.window.bytes > 0;
  }

  private get isEndDue(): boolean {
    return this.isEndQueued && this.waiting === 0 && !this.hasSentEnd;
  }

  private get isResetDue(): boolean {
    return this.resetCode === StreamCode.NO_ERROR ? this.hasSentEnd : this.resetCode !== undefined;
  }

  private fillHead(head: OutgoingHead, content: RecordContent, stream: number): boolean {
    if (content.room < head.bytes.length) {
      return false;
    }
    const flags = (head.isLast ? END_STREAM : 0) | (head.isUpgrade ? UPGRADE : 0);
    content.append(FrameType.HEADERS, flags, stream, head.bytes);
    this.head = undefined;
    this.hasSentEnd = head.isLast;
    return true;
  }

  /** One chunk at a time: a frame does not cross the border of two chunks, which saves a copy. */
  private fillOctets(content: RecordContent, stream: number, mostOctets: number): boolean {
    let left = mostOctets;
    while (this.canSendOctets && left > 0) {
      const [chunk] = this.chunks as [Buffer];
      const bytes = Math.min(chunk.length - this.offset, left, content.room, this.window.bytes);
      if (bytes <= 0) {
        return false;
      }
      left -= bytes;
      this.appendOctets(content, stream, chunk, bytes);
    }
    if (!this.isEndDue) {
      return true;
    }
    if (content.room < 0) {
      return false;
    }
    content.append(FrameType.DATA, END_STREAM, stream, Buffer.alloc(0));
    this.hasSentEnd = true;
    return true;
  }

  private appendOctets(content: RecordContent, stream: number, chunk: Buffer, bytes: number): void {
    const end = this.offset + bytes;
    this.waiting -= bytes;
    this.taken += bytes;
    this.window.take(bytes);
    const isLast = this.isEndDue;
    content.append(
      FrameType.DATA,
      isLast ? END_STREAM : 0,
      stream,
      chunk.subarray(this.offset, end),
    );
    this.hasSentEnd = isLast;
    this.offset = end;
    if (end === chunk.length) {
      this.chunks.shift();
      this.offset = 0;
    }
  }

  private fillReset(content: RecordContent, stream: number): boolean {
    if (this.resetCode === undefined || !this.isResetDue || this.hasSentReset) {
      return true;
    }
    if (content.room < 4) {
      return false;
    }
    content.appendNumbers(FrameType.RST_STREAM, stream, this.resetCode);
    this.hasSentReset = true;
    return true;
  }
}
