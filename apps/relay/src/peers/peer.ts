import type { Clock } from '@relay/clock';

import type { RelayLog } from '../telemetry/relay-log.js';
import type { PairingReason } from '../telemetry/relay-metrics.js';
import { BackOff, BUSY_BACK_OFF, REFUSED_BACK_OFF } from './back-off.js';
import type { PairingClient } from './pairing-client.js';
import type { PeerSession } from './peer-session.js';
import {
  FirstPairingLimitError,
  TunnelFailedError,
  type TunnelFailureCode,
} from './peers.errors.js';
import { Reachability } from './reachability.js';

/** The shortest time between two pairings that unauthenticated responses, which anybody on the path can send, may cause. */
const MIN_SUSPICION_INTERVAL_MS = 30_000;

const UNREACHABLE_CODES: ReadonlySet<TunnelFailureCode> = new Set([
  'RELAY_PEER_UNREACHABLE',
  'RELAY_PEER_TIMEOUT',
]);
/** The peer's session store is unavailable, or the peer is overloaded. */
const BUSY_CODES: ReadonlySet<TunnelFailureCode> = new Set([
  'RELAY_PEER_STORE_UNAVAILABLE',
  'RELAY_BUSY',
]);

/** A sequence number that belongs to one message alone. */
export interface SequenceReservation {
  readonly session: PeerSession;
  readonly sequence: number;
}

/** One relay that this relay sends messages to: its current session, and the pairing of the next. protocol.md section 9. */
export class Peer {
  /** While the peer is unreachable no session is of use, so callers fail immediately. */
  readonly reachability: Reachability;
  private current: PeerSession | undefined;
  private pairing: Promise<PeerSession> | undefined;
  /** The peer refused to pair. The current session, if any, remains in use. */
  private readonly refusal: BackOff;
  /** The peer cannot create sessions for now, which may end at any moment. The current session, if any, remains in use. */
  private readonly busy: BackOff;
  private wasPaired = false;
  private suspectedAtMs = -Infinity;
  /** Why the next pairing happens if there is no session. */
  private missingReason: Extract<PairingReason, 'first' | 'dropped'> = 'first';

  constructor(
    readonly origin: string,
    private readonly client: PairingClient,
    private readonly clock: Clock,
    private readonly log: RelayLog,
  ) {
    const probe = {
      isWorthwhile: () => this.wasPaired,
      send: () => client.probe(origin),
    };
    this.reachability = new Reachability(origin, probe, clock, log);
    this.refusal = new BackOff(REFUSED_BACK_OFF, clock);
    this.busy = new BackOff(BUSY_BACK_OFF, clock);
  }

  /**
   * Reserves the sequence number of one message. If there is no usable session, it pairs first, once for all waiting callers.
   *
   * @param network - that of the client, for the limit on first pairings
   * @throws TunnelFailedError, immediately while a failure is backed off from
   */
  async reserve(network = ''): Promise<SequenceReservation> {
    this.reachability.noteRequest();
    for (;;) {
      this.reachability.throwIfUnreachable();
      const session = await this.session(network);
      // Checked again: all callers that waited for a pairing resume in the same turn, and each takes a number.
      if (session.isUsable(this.clock.monotonicMs())) {
        return { session, sequence: session.takeSequence() };
      }
    }
  }

  /** Whether the session is within its lifetime by this relay's clock. */
  isWithinLifetime(session: PeerSession): boolean {
    return session.isWithinLifetime(this.clock.monotonicMs());
  }

  /** The peer no longer has this session. If it has been replaced meanwhile, nothing happens. */
  drop(sid: string): void {
    if (this.current?.sid === sid) {
      this.current = undefined;
      this.missingReason = 'dropped';
      this.log.debug('session dropped', { peer: this.origin, exchange: sid.slice(0, 8) });
    }
  }

  /** An unauthenticated response casts doubt on the session: it stays, and from time to time a new one is paired. */
  suspect(): void {
    const now = this.clock.monotonicMs();
    if (now - this.suspectedAtMs >= MIN_SUSPICION_INTERVAL_MS) {
      this.suspectedAtMs = now;
      this.pairInBackground('suspected');
    }
  }

  /** What is known of the peer without asking it. */
  get state(): 'paired' | 'unreachable' | 'known' {
    switch (this.reachability.state) {
      case 'unreachable':
        return 'unreachable';
      case 'unknown':
        return 'known';
      case 'reachable':
        return this.current?.isUsable(this.clock.monotonicMs()) === true ? 'paired' : 'known';
    }
  }

  /** Whether there has ever been a session. Until then, only clients say that the peer is a relay. */
  get hasPaired(): boolean {
    return this.wasPaired;
  }

  /** Whether a pairing is pending. */
  get isPairing(): boolean {
    return this.pairing !== undefined;
  }

  /** Ends everything that would otherwise go on in the background. */
  close(): void {
    this.reachability.close();
  }

  private async session(network: string): Promise<PeerSession> {
    const { current } = this;
    const now = this.clock.monotonicMs();
    if (current?.isUsable(now) !== true) {
      return this.pair(current === undefined ? this.missingReason : 'expired', network);
    }
    if (current.isDueForRenewal(now)) {
      this.pairInBackground('renewal');
    }
    return current;
  }

  private pairInBackground(reason: PairingReason): void {
    // A failure has been logged by the client, and the next message that needs a session pairs again.
    this.pair(reason).catch(() => undefined);
  }

  private async pair(reason: PairingReason, network?: string): Promise<PeerSession> {
    if (this.pairing === undefined) {
      this.reachability.throwIfUnreachable();
      this.refusal.throwIfActive();
      this.busy.throwIfActive();
      this.pairing = this.pairOnce(reason, network);
    }
    return this.pairing;
  }

  private async pairOnce(reason: PairingReason, network?: string): Promise<PeerSession> {
    try {
      const session = await this.client.pair(this.origin, reason, network);
      this.current = session;
      this.wasPaired = true;
      this.refusal.end();
      this.busy.end();
      this.reachability.reportReached();
      return session;
    } catch (error) {
      if (error instanceof TunnelFailedError) {
        this.backOffFrom(error);
      }
      throw error;
    } finally {
      this.pairing = undefined;
    }
  }

  private backOffFrom(failure: TunnelFailedError): void {
    if (failure instanceof FirstPairingLimitError) {
      // It says nothing about the peer, which clients of other networks may pair with.
    } else if (UNREACHABLE_CODES.has(failure.code)) {
      this.reachability.reportUnreachable(failure);
    } else if (BUSY_CODES.has(failure.code)) {
      this.busy.begin(failure);
    } else {
      this.refusal.begin(failure);
    }
  }
}
