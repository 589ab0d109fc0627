import type { PairedSession, SessionKeys } from '@relay/protocol';

/** After this share of its lifetime, no new message is sealed on a session, so that none arrives after it has expired. */
const USABLE_SHARE = 0.9;
/** From this share of its lifetime or its messages on, a session is replaced in the background. */
const RENEWAL_SHARE = 0.75;

/** A session as the outbound role uses it: its keys, its sequence numbers, and its limits. protocol.md section 9. */
export class PeerSession {
  readonly sid: string;
  readonly keys: SessionKeys;
  private readonly lifetimeMs: number;
  private readonly maxMessages: number;
  private lastSequence = 0;

  /** @param pairedAtMs - when the pairing request was sent, monotonic; the lifetime begins later for the peer */
  constructor(
    paired: PairedSession,
    private readonly pairedAtMs: number,
  ) {
    this.sid = paired.sid;
    this.keys = paired.keys;
    this.lifetimeMs = paired.lifetimeSeconds * 1000;
    this.maxMessages = paired.maxMessages;
  }

  /** Whether a new message may be sealed on this session. */
  isUsable(nowMs: number): boolean {
    return this.lastSequence < this.maxMessages && this.ageShare(nowMs) < USABLE_SHARE;
  }

  /** Whether the session should be replaced, although it may still be usable. */
  isDueForRenewal(nowMs: number): boolean {
    return (
      this.ageShare(nowMs) >= RENEWAL_SHARE || this.lastSequence >= RENEWAL_SHARE * this.maxMessages
    );
  }

  /**
   * Whether the session is within its lifetime, so that a signed "never forwarded" of the peer can be trusted. Later, an
   * attacker could have waited for the session to expire at the peer too, and then have replayed a message that had been
   * forwarded: the peer would sign that it was not. protocol.md section 8, rule (b).
   */
  isWithinLifetime(nowMs: number): boolean {
    return this.ageShare(nowMs) < 1;
  }

  /** Takes the next sequence number, beginning with 1. This is synchronous, so that no two messages can share a number. */
  takeSequence(): number {
    this.lastSequence += 1;
    return this.lastSequence;
  }

  private ageShare(nowMs: number): number {
    return (nowMs - this.pairedAtMs) / this.lifetimeMs;
  }
}
