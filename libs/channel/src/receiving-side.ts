import { BodyLength } from '@relay/protocol';

import { OctetQueue } from './octet-queue.js';
import type { WaitingOctets, WaitingStream } from './waiting-octets.js';
import type { ReceiveWindow } from './windows.js';

/** What the receiving side of a stream tells. */
export interface ReceivingEvents {
  /** Octets for the consumer. @returns false if it takes nothing more until `resume` is called */
  onData(octets: Buffer): boolean;
  /** The peer's side is complete, and the consumer has been given all of it. */
  onEnd(): void;
  /** The body is longer or shorter than its head states. Nothing follows. */
  onWrongLength(cause: Error): void;
  /** What waited was discarded, because the process has no memory for more. Nothing follows. */
  onDiscarded(): void;
  /** The consumer took octets, so that the peer may send more. */
  onGrant(increment: number): void;
}

/** The octets of one direction of a stream, from the record to the consumer. protocol.md sections 11.3 and 11.4. */
export class ReceivingSide implements WaitingStream {
  private readonly queue = new OctetQueue();
  private length = new BodyLength(undefined);
  /** What makes the body as long as its head states: it is released only by the end of the stream. */
  private withheld: Buffer | undefined;
  /** Octets that were given to a consumer that then asked to pause. */
  private given = 0;
  private isPaused = false;
  private hasEnded = false;
  private isOver = false;

  constructor(
    private readonly window: ReceiveWindow,
    private readonly waiting: WaitingOctets,
    private readonly events: ReceivingEvents,
  ) {}

  /** The head of the peer states how long the body is; undefined if it states nothing. To be called before any octet arrives. */
  expect(bytes: number | undefined): void {
    this.length = new BodyLength(bytes);
  }

  /**
   * A frame DATA has arrived.
   *
   * @param octets - not kept: what must wait is copied
   * @throws ChannelBrokenError if the peer was not granted as many octets
   */
  receive(octets: Buffer, isLast: boolean): void {
    this.window.receive(octets.length);
    if (this.isOver) {
      return;
    }
    try {
      this.length.take(octets.length);
      if (isLast) {
        this.length.end();
      }
    } catch (error) {
      this.close();
      this.events.onWrongLength(error as Error);
      return;
    }
    if (octets.length > 0) {
      this.accept(octets, isLast);
    }
    if (isLast) {
      this.end();
    }
  }

  /** The consumer takes octets again. */
  resume(): void {
    if (!this.isPaused || this.isOver) {
      return;
    }
    this.isPaused = false;
    const { given } = this;
    this.given = 0;
    this.waiting.take(this, given);
    this.taken(given);
    this.release();
  }

  /** Forgets everything; nothing is released any more. */
  close(): void {
    this.isOver = true;
    this.withheld = undefined;
    this.queue.clear();
    this.waiting.clear(this);
  }

  /** Called by the budget. */
  discard(): void {
    this.close();
    this.events.onDiscarded();
  }

  private accept(octets: Buffer, isLast: boolean): void {
    if (this.length.isReached && !isLast) {
      this.withheld = Buffer.from(octets);
      this.waiting.add(this, octets.length);
    } else if (this.isPaused) {
      this.queue.push(octets);
      this.waiting.add(this, octets.length);
    } else {
      this.give(octets, false);
    }
  }

  private end(): void {
    if (this.withheld !== undefined) {
      this.queue.push(this.withheld);
      this.withheld = undefined;
    }
    this.hasEnded = true;
    this.release();
  }

  private release(): void {
    while (!this.isPaused && !this.isOver) {
      const octets = this.queue.shift();
      if (octets === undefined) {
        break;
      }
      this.give(octets, true);
    }
    if (this.hasEnded && !this.isPaused && !this.isOver) {
      this.close();
      this.events.onEnd();
    }
  }

  private give(octets: Buffer, hasWaited: boolean): void {
    if (this.events.onData(detached(octets))) {
      if (hasWaited) {
        this.waiting.take(this, octets.length);
      }
      this.taken(octets.length);
      return;
    }
    this.isPaused = true;
    this.given = octets.length;
    if (!hasWaited && !this.isOver) {
      this.waiting.add(this, octets.length);
    }
  }

  private taken(bytes: number): void {
    if (this.hasEnded || this.isOver) {
      return;
    }
    const mayGrow = this.queue.bytes === 0 && this.waiting.isAmple;
    const increment = this.window.take(bytes, mayGrow);
    if (increment > 0) {
      this.events.onGrant(increment);
    }
  }
}

/** A consumer may keep octets for long. A small part of a record must not keep all of it in memory. */
function detached(octets: Buffer): Buffer {
  return octets.length * 2 < octets.buffer.byteLength ? Buffer.from(octets) : octets;
}
