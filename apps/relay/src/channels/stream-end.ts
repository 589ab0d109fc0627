import type { Stream, StreamEvents, StreamFailure } from '@relay/channel';
import type { OctetEnd, OctetEvents } from '@relay/http';

/** The stream of an upgraded connection as one end of it. protocol.md section 11.8. */
export class StreamEnd implements OctetEnd, StreamEvents {
  private events: OctetEvents | undefined;

  /**
   * @param stream - both sides have sent HEADERS with UPGRADE on it
   * @param resetCode - of a reset by this role: CANCEL is only of the outbound relay
   */
  constructor(
    private readonly stream: Stream,
    private readonly resetCode: number,
  ) {}

  listen(events: OctetEvents): void {
    this.events = events;
    this.stream.listen(this);
  }

  write(octets: Buffer): boolean {
    return this.stream.write(octets);
  }

  end(onEnded: () => void): void {
    this.stream.end();
    onEnded();
  }

  resume(): void {
    this.stream.resume();
  }

  reset(): void {
    this.stream.reset(this.resetCode);
  }

  onData(octets: Buffer): boolean {
    return this.events?.onData(octets) ?? true;
  }

  onEnd(): void {
    this.events?.onEnd();
  }

  onDrain(): void {
    this.events?.onDrain();
  }

  onUnwanted(): void {
    this.events?.onLost(new Error('the other relay has reset the connection'));
  }

  onFailure(failure: StreamFailure, cause?: Error): void {
    this.events?.onLost(cause ?? new Error(`the connection to the other relay ended: ${failure}`));
  }
}
