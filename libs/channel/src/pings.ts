import { ChannelBrokenError } from './channel.errors.js';
import { ACK, PING_BYTES } from './frame.js';
import { Liveness } from './liveness.js';
import type { RecordContent } from './record-content.js';

/** The PINGs of both sides. protocol.md section 11.5. */
export class Pings {
  private readonly liveness = new Liveness();
  /** The PING that this side has made and that was not answered. */
  private own: Buffer | undefined;
  private isOwnDue = false;
  /** The PING of the peer that is to be answered. */
  private toAnswer: Buffer | undefined;
  private made = 0;

  /** An authenticated record has arrived. */
  recordReceived(): void {
    this.liveness.received();
  }

  /** Something other than a PING has arrived, or waits for the peer to read. */
  trafficPassed(): void {
    this.liveness.trafficPassed();
  }

  /** A record with a PING of this side has left the socket. */
  left(): void {
    this.liveness.left();
  }

  /**
   * A PING has arrived. An ACK of other octets is ignored.
   *
   * @returns whether it must be answered
   * @throws ChannelBrokenError if the one before was not answered yet
   */
  receive(octets: Buffer, isAck: boolean): boolean {
    if (isAck) {
      if (this.own?.equals(octets) === true && !this.isOwnDue) {
        this.own = undefined;
        this.liveness.answered();
      }
      return false;
    }
    if (this.toAnswer !== undefined) {
      throw new ChannelBrokenError('a second PING arrived before the first was answered');
    }
    this.toAnswer = Buffer.from(octets);
    return true;
  }

  /**
   * To be called about once a second.
   *
   * @param nowMs - of a clock that never goes back
   * @returns whether a PING is to be sent
   * @throws ChannelBrokenError if the peer has been silent for too long
   */
  check(nowMs: number): boolean {
    const verdict = this.liveness.check(nowMs);
    if (verdict === 'dead') {
      throw new ChannelBrokenError('the peer is silent');
    }
    if (verdict === 'alive') {
      return false;
    }
    this.made += 1;
    this.own = Buffer.alloc(PING_BYTES);
    this.own.writeUInt32BE(this.made);
    this.isOwnDue = true;
    return true;
  }

  /** Appends what is due. @returns whether a PING of this side is among it */
  fill(content: RecordContent): boolean {
    if (this.toAnswer !== undefined) {
      content.appendPing(ACK, this.toAnswer);
      this.toAnswer = undefined;
    }
    if (!this.isOwnDue || this.own === undefined) {
      return false;
    }
    content.appendPing(0, this.own);
    this.isOwnDue = false;
    return true;
  }
}
