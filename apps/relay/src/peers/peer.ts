import type { Clock } from '@relay/clock';

import type { KnownPeer } from '../directory/known-peer.js';
import type { RelayLog } from '../telemetry/relay-log.js';
import type { PairingReason } from '../telemetry/relay-metrics.js';
import { BackOff, BUSY_BACK_OFF, REFUSED_BACK_OFF } from './back-off.js';
import type { PeerAddress } from './peer-address.js';
import type { PairingClient } from './pairing-client.js';
import type { PeerListener } from './peer-listener.js';
import type { PeerSession, SequenceReservation } from './peer-session.js';
import {
  BUSY_CODES,
  FirstPairingLimitError,
  TunnelFailedError,
  UNREACHABLE_CODES,
} from './peers.errors.js';
import { Reachability } from './reachability.js';
import type { SessionChecker } from './session-checker.js';

/** The shortest time between two pairings that unauthenticated responses, which anybody on the path can send, may cause. */
const MIN_SUSPICION_INTERVAL_MS = 30_000;

const MAX_CHECKS = 2;

/** One relay that this relay sends messages to: its current session, and the pairing of the next. protocol.md section 9. */
export class Peer {
  readonly origin: string;
  /** The entry of the peer, whose secret its sessions are paired with. */
  readonly known: KnownPeer;
  /** While the peer is unreachable no session is of use, so callers fail immediately. */
  readonly reachability: Reachability;
  private current: PeerSession | undefined;
  private pairing: Promise<PeerSession> | undefined;
  private checking: Promise<void> | undefined;
  private disconnectedAtMs = -Infinity;
  /** The peer refused to pair. The current session, if any, remains in use. */
  private readonly refusal: BackOff;
  /** The peer cannot create sessions for now, which may end at any moment. The current session, if any, remains in use. */
  private readonly busy: BackOff;
  private wasPaired = false;
  private listener: PeerListener | undefined;
  private isClosed = false;
  private suspectedAtMs = -Infinity;
  /** Why the next pairing happens if there is no session. */
  private missingReason: Extract<PairingReason, 'first' | 'dropped'> = 'first';

  constructor(
    readonly address: PeerAddress,
    private readonly client: PairingClient,
    private readonly checker: SessionChecker,
    private readonly clock: Clock,
    private readonly log: RelayLog,
  ) {
    this.origin = address.origin;
    this.known = address.known;
    const probe = {
      isWorthwhile: () => this.known.entry.reach.kind === 'origins' || this.wasPaired,
      send: () => client.probe(address),
      onReached: () => this.listener?.onUsable(),
    };
    this.reachability = new Reachability(this.origin, probe, clock, log);
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
        return this.take(session);
      }
    }
  }

  /**
   * Reserves a sequence number like `reserve`, for a message that must not be lost with its session: if it is in doubt whether the
   * peer still has the session, the peer is asked first, once for all waiting callers.
   *
   * @param network - that of the client, for the limit on first pairings
   * @throws TunnelFailedError, immediately while a failure is backed off from; also if the check fails
   */
  async reserveChecked(network = ''): Promise<SequenceReservation> {
    this.reachability.noteRequest();
    this.reachability.throwIfUnreachable();
    const ongoing = this.checking;
    await (ongoing ?? this.checkIfInDoubt());
    if (ongoing !== undefined) {
      // It was sent before this request came: what has happened in between, it does not show.
      await this.checkIfInDoubt();
    }
    return this.reserve(network);
  }

  private async checkIfInDoubt(): Promise<void> {
    const { current, disconnectedAtMs } = this;
    const now = this.clock.monotonicMs();
    if (current?.isUsable(now) === true && current.isInDoubt(now, disconnectedAtMs)) {
      this.checking ??= this.check(current).finally(() => {
        this.checking = undefined;
      });
      await this.checking;
    }
  }

  /** Whether another message may be sent under the same session in place of an earlier one. */
  canReplace({ session }: SequenceReservation): boolean {
    return session.isUsable(this.clock.monotonicMs());
  }

  /** Reserves a number for a message that replaces an earlier one under the same session, which `canReplace` has allowed. */
  replace({ session, sequence }: SequenceReservation): SequenceReservation {
    return { ...this.take(session), replaces: sequence };
  }

  /** A connection to the peer has ended, and not because this relay ended it: the peer may have been restarted. */
  noteDisconnect(): void {
    this.disconnectedAtMs = this.clock.monotonicMs();
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

  /** Registers the one that depends on this peer. A request may come to it after the peer was forgotten. */
  listen(listener: PeerListener): void {
    this.listener = listener;
    if (this.isClosed) {
      listener.onClose();
    }
  }

  /** Ends everything that would otherwise go on in the background, and lets nothing of it begin again. */
  stop(): void {
    this.isClosed = true;
    this.wasPaired = false;
    this.reachability.close();
  }

  /** Stops with whoever depends on it. */
  close(): void {
    this.stop();
    this.listener?.onClose();
  }

  private take(session: PeerSession): SequenceReservation {
    const now = this.clock.monotonicMs();
    return {
      session,
      sequence: session.takeSequence(),
      ageSeconds: session.ageSeconds(now),
      reservedAtMs: now,
    };
  }

  /** Returns once the session has proved to be alive or has been dropped. */
  private async check(session: PeerSession): Promise<void> {
    for (let checks = 1; session.isUsable(this.clock.monotonicMs()); checks += 1) {
      const reservation = this.take(session);
      const connections = checks === 1 ? 'kept' : 'fresh';
      const result = await this.checker.check(this.address, reservation, connections);
      switch (result.kind) {
        case 'alive':
          this.reachability.reportReached();
          session.noteAlive(reservation.reservedAtMs);
          return;
        case 'gone':
          this.reachability.reportReached();
          this.drop(session.sid);
          return;
        case 'unclear':
          if (checks === MAX_CHECKS) {
            if (this.current !== session) {
              return;
            }
            this.drop(session.sid);
            throw result.failure;
          }
          break;
        case 'failed':
          this.noteFailedCheck(result.failure);
          throw result.failure;
      }
    }
  }

  private noteFailedCheck(failure: Error): void {
    if (!(failure instanceof TunnelFailedError)) {
      return;
    }
    if (UNREACHABLE_CODES.has(failure.code)) {
      this.reachability.reportUnreachable(failure);
    } else if (failure.code === 'RELAY_PEER_ANSWER_INVALID') {
      this.suspect();
    }
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
      const session = await this.client.pair(this.address, reason, network);
      this.current = session;
      this.wasPaired = true;
      this.refusal.end();
      this.busy.end();
      this.reachability.reportReached();
      this.listener?.onUsable();
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
