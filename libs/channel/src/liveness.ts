/** After so much silence a PING is sent. protocol.md section 11.5. */
const SILENCE_MS = 20_000;
/** So long may the peer be silent after the PING has left the socket. */
const RESPONSE_MS = 10_000;
/** So long may a PING wait until it is answered, whatever else arrives in the meantime. */
const MADE_MS = 60_000;

/** What is to be done now. */
export type LivenessVerdict = 'alive' | 'ping' | 'dead';

/**
 * Whether the peer is still there, and what it sends arrives in time. A record alone does not prove that: something on the path may
 * hold all of them back and pass one at a time, each later than the one before. The answer to a PING was sent after the PING, and so
 * was everything that follows it. It has no clock: times are those of the caller's last `check`. protocol.md section 11.5. */
export class Liveness {
  private hasReceived = true;
  private hasTraffic = false;
  /** What was sent before this has arrived. */
  private provenAtMs = 0;
  private receivedAtMs = 0;
  private madeAtMs: number | undefined;
  private leftAtMs: number | undefined;
  private hasLeft = false;

  /** An authenticated record has arrived. */
  received(): void {
    this.hasReceived = true;
  }

  /** Something other than a PING has arrived, or waits for the peer to read. */
  trafficPassed(): void {
    this.hasTraffic = true;
  }

  /** The PING has left the socket. */
  left(): void {
    this.hasLeft = true;
  }

  /** The PING was answered. */
  answered(): void {
    this.provenAtMs = this.madeAtMs ?? this.provenAtMs;
    this.madeAtMs = undefined;
    this.leftAtMs = undefined;
    this.hasLeft = false;
  }

  /** To be called about once a second. @param nowMs - of a clock that never goes back */
  check(nowMs: number): LivenessVerdict {
    if (this.hasReceived) {
      this.hasReceived = false;
      this.receivedAtMs = nowMs;
    }
    if (this.hasLeft) {
      this.leftAtMs ??= nowMs;
    }
    if (this.madeAtMs === undefined) {
      return this.startPing(nowMs);
    }
    const silentSinceMs = Math.max(this.receivedAtMs, this.leftAtMs ?? Infinity);
    const isDead = nowMs - silentSinceMs >= RESPONSE_MS || nowMs - this.madeAtMs >= MADE_MS;
    return isDead ? 'dead' : 'alive';
  }

  private startPing(nowMs: number): LivenessVerdict {
    const isSilent = nowMs - this.receivedAtMs >= SILENCE_MS;
    const isUnproven = this.hasTraffic && nowMs - this.provenAtMs >= SILENCE_MS;
    if (!isSilent && !isUnproven) {
      return 'alive';
    }
    this.hasTraffic = false;
    this.madeAtMs = nowMs;
    return 'ping';
  }
}
