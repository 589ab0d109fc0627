/** A stream whose octets wait for its consumer. */
export interface WaitingStream {
  /** The budget is exceeded and this stream has stalled longest: it must discard what waits, and take no more. */
  discard(): void;
}

/**
 * The octets that wait for slow consumers in all channels of the process. Above the limit, the streams that have stalled longest
 * are discarded until it holds. protocol.md section 11.4.
 */
export class WaitingOctets {
  private total = 0;
  /** In the order in which their consumers last took something, oldest first. */
  private readonly streams = new Map<WaitingStream, number>();

  /** @param limitBytes - of all streams together */
  constructor(private readonly limitBytes: number) {}

  /** Octets that wait now. */
  get bytes(): number {
    return this.total;
  }

  /** Whether windows may grow and new streams may begin: three quarters of the limit are not used up. */
  get isAmple(): boolean {
    return this.total < (this.limitBytes / 4) * 3;
  }

  /** Octets of this stream begin to wait. Streams may be discarded before this returns, this one among them. */
  add(stream: WaitingStream, bytes: number): void {
    this.streams.set(stream, (this.streams.get(stream) ?? 0) + bytes);
    this.total += bytes;
    for (const [stalled] of this.streams) {
      if (this.total <= this.limitBytes) {
        return;
      }
      this.clear(stalled);
      stalled.discard();
    }
  }

  /** The consumer of this stream has taken octets that waited. */
  take(stream: WaitingStream, bytes: number): void {
    const waiting = this.streams.get(stream);
    if (waiting === undefined) {
      return;
    }
    this.total -= bytes;
    this.streams.delete(stream);
    if (waiting > bytes) {
      this.streams.set(stream, waiting - bytes);
    }
  }

  /** Nothing of this stream waits any more. */
  clear(stream: WaitingStream): void {
    this.total -= this.streams.get(stream) ?? 0;
    this.streams.delete(stream);
  }
}
