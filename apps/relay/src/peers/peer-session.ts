import { MAX_AGE_SECONDS, type PairedSession, type SessionKeys } from '@relay/protocol';

/** After this share of its lifetime, no new message is sealed on a session, so that none arrives after it has expired. */
const USABLE_SHARE = 0.9;
/** From this share of its lifetime or its messages on, a session is replaced in the background. */
const RENEWAL_SHARE = 0.75;

/** For this long after the latest sign of life, a session is taken to be alive. protocol.md section 8. */
const ALIVE_MS = 5_000;

/** A session as the outbound role uses it: its keys, its sequence numbers, and its limits. protocol.md section 9. */
export class PeerSession {
  readonly sid: string;
  readonly keys: SessionKeys;
  private readonly lifetimeMs: number;
  private readonly maxMessages: number;
  private lastSequence = 0;
  private aliveAtMs: number;

  /**
   * @param pairedAtMs - when the pairing request was sent, monotonic; the lifetime begins later for the peer
   * @param respondedAtMs - when its response was received, monotonic
   */
  constructor(
    paired: PairedSession,
    private readonly pairedAtMs: number,
    private readonly respondedAtMs: number = pairedAtMs,
  ) {
    this.sid = paired.sid;
    this.keys = paired.keys;
    this.lifetimeMs = paired.lifetimeSeconds * 1000;
    this.maxMessages = paired.maxMessages;
    this.aliveAtMs = pairedAtMs;
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
   * Whole seconds since the pairing response was received, which is later than the peer saved the session: so a message is never
   * older than the peer takes it to be. protocol.md section 2.
   */
  ageSeconds(nowMs: number): number {
    return Math.min(MAX_AGE_SECONDS, Math.floor((nowMs - this.respondedAtMs) / 1000));
  }

  /**
   * The peer has proved that it still had the session when it received what was sent at this moment.
   *
   * @param sentAtMs - monotonic
   */
  noteAlive(sentAtMs: number): void {
    this.aliveAtMs = Math.max(this.aliveAtMs, sentAtMs);
  }

  /**
   * Whether the peer may have lost the session since the latest message or pairing that proved it to be alive.
   *
   * @param disconnectedAtMs - when a connection to the peer last ended, monotonic
   */
  isInDoubt(nowMs: number, disconnectedAtMs: number): boolean {
    return nowMs - this.aliveAtMs >= ALIVE_MS || disconnectedAtMs >= this.aliveAtMs;
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

/** A sequence number that belongs to one message alone. */
export interface SequenceReservation {
  readonly session: PeerSession;
  readonly sequence: number;
  /** The number of the earlier message that this one replaces. */
  readonly replaces?: number;
  /** The age of the session when the number was reserved, in whole seconds. protocol.md section 2. */
  readonly ageSeconds: number;
  /** Monotonic. */
  readonly reservedAtMs: number;
}
