import { ChannelBrokenError } from './channel.errors.js';
import { MAX_U31 } from './frame.js';

/** The largest window that a stream whose consumer keeps up is given, in octets. protocol.md section 11.4. */
const MAX_WINDOW_BYTES = 4 * 2 ** 20;

/** An increment is at least this part of the initial window. protocol.md section 11.4. */
const STEPS = 4;

/** How many octets of a stream this side may still send. protocol.md section 11.4. */
export class SendWindow {
  /** @param available - the initial window that the peer announced */
  constructor(private available: number) {
    this.smallestIncrement = available / STEPS;
  }

  private readonly smallestIncrement: number;

  /** Octets that may be sent now. */
  get bytes(): number {
    return this.available;
  }

  /** Octets were sent. @param bytes - at most `bytes` of this window */
  take(bytes: number): void {
    this.available -= bytes;
  }

  /** The peer grants more. @throws ChannelBrokenError if the increment is too small, or the window becomes too large */
  grant(increment: number): void {
    if (increment < this.smallestIncrement) {
      throw new ChannelBrokenError(`the peer granted only ${increment} bytes at a time`);
    }
    this.available += increment;
    if (this.available > MAX_U31) {
      throw new ChannelBrokenError('the window of a stream exceeds 2^31 - 1');
    }
  }
}

/** How many octets of a stream the peer may still send, and when it is granted more. protocol.md section 11.4. */
export class ReceiveWindow {
  private credit: number;
  private taken = 0;
  private size: number;

  /** @param initialBytes - as announced to the peer */
  constructor(private readonly initialBytes: number) {
    this.credit = initialBytes;
    this.size = initialBytes;
  }

  /** Octets arrived. @throws ChannelBrokenError if the peer was not granted as many */
  receive(bytes: number): void {
    this.credit -= bytes;
    if (this.credit < 0) {
      throw new ChannelBrokenError('the peer sent more than it was granted');
    }
  }

  /**
   * The consumer has taken octets that had arrived.
   *
   * @param mayGrow - whether the consumer keeps up and memory allows a larger window
   * @returns how much to grant now; 0 until enough was taken for one step
   */
  take(bytes: number, mayGrow: boolean): number {
    this.taken += bytes;
    if (this.taken < this.initialBytes / STEPS) {
      return 0;
    }
    const growth = mayGrow ? Math.min(this.size, Math.max(0, MAX_WINDOW_BYTES - this.size)) : 0;
    const increment = this.taken + growth;
    this.size += growth;
    this.taken = 0;
    this.credit += increment;
    return increment;
  }
}
