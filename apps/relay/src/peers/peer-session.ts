import type { PairedSession, SessionKeys } from '@relay/protocol';

/** No new message on a session after this share of its lifetime, as the peer's clock started later than ours. */
const USABLE_SHARE = 0.9;
/** A successor is made in the background from this share of lifetime or messages on. */
const RENEWAL_SHARE = 0.75;

/** A session as the outbound role uses it: keys, a counter, and how long each may serve. protocol.md section 9. */
export class PeerSession {
  readonly sid: string;
  readonly keys: SessionKeys;
  private readonly lifetimeMs: number;
  private readonly maxMessages: number;
  private lastSequence = 0;

  /** @param pairedAtMs - monotonic, when the pairing request was sent: before the peer's clock started */
  constructor(
    paired: PairedSession,
    private readonly pairedAtMs: number,
  ) {
    this.sid = paired.sid;
    this.keys = paired.keys;
    this.lifetimeMs = paired.lifetimeSeconds * 1000;
    this.maxMessages = paired.maxMessages;
  }

  /** Whether a new message may be sealed. */
  isUsable(nowMs: number): boolean {
    return this.lastSequence < this.maxMessages && this.ageShare(nowMs) < USABLE_SHARE;
  }

  /** Whether a successor should be made. */
  isDueForRenewal(nowMs: number): boolean {
    return (
      this.ageShare(nowMs) >= RENEWAL_SHARE || this.lastSequence >= RENEWAL_SHARE * this.maxMessages
    );
  }

  /**
   * Whether a "never forwarded" of the peer is believed: past our own expiry an attacker may have waited for the
   * peer's, and replayed a message that was executed. protocol.md section 8, rule (b).
   */
  isWithinLifetime(nowMs: number): boolean {
    return this.ageShare(nowMs) < 1;
  }

  /** The next sequence number, from 1; taken synchronously, so that no two messages can share one. */
  takeSequence(): number {
    this.lastSequence += 1;
    return this.lastSequence;
  }

  private ageShare(nowMs: number): number {
    return (nowMs - this.pairedAtMs) / this.lifetimeMs;
  }
}
