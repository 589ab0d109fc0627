import type { Clock } from '@relay/session';

import { BackOff } from './back-off.js';
import { TunnelFailedError } from './outbound.errors.js';
import type { PairingClient } from './pairing-client.js';
import type { RelayLog } from '../observability/relay-log.js';
import type { PairingReason } from '../observability/relay-metrics.js';
import type { PeerSession } from './peer-session.js';

const UNREACHABLE_BACK_OFF = { firstMs: 250, maxMs: 2_000 };
const REFUSED_BACK_OFF = { firstMs: 500, maxMs: 30_000 };
const PROBE_INTERVAL_MS = 1_000;
/** A peer that nobody has asked for since is not probed any more. */
const MAX_UNASKED_PROBES = 60;
/** What anybody on the path can provoke by an unsigned error: one pairing in this time. */
const MIN_SUSPICION_INTERVAL_MS = 30_000;

/** Room for one message: nobody else gets this sequence number. */
export interface SessionSlot {
  readonly session: PeerSession;
  readonly sequence: number;
}

/**
 * One relay that this one talks to: its current session, the pairing under way, and what is known against it.
 * protocol.md section 9.
 */
export class Peer {
  private current: PeerSession | undefined;
  private pairing: Promise<PeerSession> | undefined;
  /** The peer could not be reached: no session helps, so callers fail at once. */
  private readonly outage: BackOff;
  /** The peer would not pair: a session that is left still serves. */
  private readonly refusal: BackOff;
  /** The peer can make no session for a while, which may end at any moment: one that is left still serves. */
  private readonly busyTime: BackOff;
  /** Names the probing under way: what an earlier one still finds out says nothing any more. */
  private probing: symbol | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private unaskedProbes = 0;
  private suspectedAtMs = -Infinity;
  /** Why there is no session, where there is none. */
  private lack: 'first' | 'dropped' = 'first';
  private isOutOfReach = false;

  constructor(
    readonly origin: string,
    private readonly client: PairingClient,
    private readonly clock: Clock,
    private readonly log: RelayLog,
  ) {
    this.outage = new BackOff(UNREACHABLE_BACK_OFF, clock);
    this.refusal = new BackOff(REFUSED_BACK_OFF, clock);
    this.busyTime = new BackOff(UNREACHABLE_BACK_OFF, clock);
  }

  /**
   * Room for one message, in a session that is paired for it where there is none, once for all who wait.
   *
   * @throws TunnelFailedError, at once while a failure is backed off from
   */
  async take(): Promise<SessionSlot> {
    this.unaskedProbes = 0;
    for (;;) {
      this.outage.throwIfActive();
      const session = await this.session();
      // Asked again: all who waited for a pairing wake up at once, and each takes a number.
      if (session.isUsable(this.clock.monotonicMs())) {
        return { session, sequence: session.takeSequence() };
      }
    }
  }

  /** Whether the session is within its lifetime by this relay's clock. */
  isWithinLifetime(session: PeerSession): boolean {
    return session.isWithinLifetime(this.clock.monotonicMs());
  }

  /** The peer has no such session any more; nothing happens where it was replaced meanwhile. */
  drop(sid: string): void {
    if (this.current?.sid === sid) {
      this.current = undefined;
      this.lack = 'dropped';
      this.log.debug('session dropped', { peer: this.origin, exchange: sid.slice(0, 8) });
    }
  }

  /** Something that is not proven speaks against the session: it stays, and a new one is tried now and then. */
  suspect(): void {
    const now = this.clock.monotonicMs();
    if (now - this.suspectedAtMs >= MIN_SUSPICION_INTERVAL_MS) {
      this.suspectedAtMs = now;
      this.pairInBackground('suspected');
    }
  }

  /** A message could not be sent: those that follow fail at once, until the peer is seen again. */
  reportUnreachable(failure: TunnelFailedError): void {
    this.outage.begin(failure);
    this.isOutOfReach = true;
    this.log.debug('peer out of reach: requests to it fail at once for a while', {
      peer: this.origin,
      code: failure.code,
    });
    this.probe();
  }

  /** The peer has answered something. */
  reportReached(): void {
    if (this.isOutOfReach) {
      this.isOutOfReach = false;
      this.log.info('peer within reach again', { peer: this.origin });
    }
    this.outage.end();
    this.close();
  }

  /** What is known of it, without asking it. One that is not probed any more may be back: it is merely known. */
  get state(): 'paired' | 'unreachable' | 'known' {
    if (this.isOutOfReach) {
      return this.probing === undefined ? 'known' : 'unreachable';
    }
    return this.current?.isUsable(this.clock.monotonicMs()) === true ? 'paired' : 'known';
  }

  /** Ends what would go on by itself. */
  close(): void {
    this.probing = undefined;
    clearTimeout(this.probeTimer);
  }

  private async session(): Promise<PeerSession> {
    const { current } = this;
    const now = this.clock.monotonicMs();
    if (current?.isUsable(now) !== true) {
      return this.pair(current === undefined ? this.lack : 'expired');
    }
    if (current.isDueForRenewal(now)) {
      this.pairInBackground('renewal');
    }
    return current;
  }

  private pairInBackground(reason: PairingReason): void {
    // Whoever needs the outcome asks for it; the client has logged it.
    this.pair(reason).catch(() => undefined);
  }

  private async pair(reason: PairingReason): Promise<PeerSession> {
    if (this.pairing === undefined) {
      this.outage.throwIfActive();
      this.refusal.throwIfActive();
      this.busyTime.throwIfActive();
      this.pairing = this.pairOnce(reason);
    }
    return this.pairing;
  }

  private async pairOnce(reason: PairingReason): Promise<PeerSession> {
    try {
      const session = await this.client.pair(this.origin, reason);
      this.current = session;
      this.refusal.end();
      this.busyTime.end();
      this.reportReached();
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
    if (isOutage(failure)) {
      this.reportUnreachable(failure);
    } else if (isBusyTime(failure)) {
      this.busyTime.begin(failure);
    } else {
      this.refusal.begin(failure);
    }
  }

  private probe(): void {
    if (this.probing === undefined) {
      this.probing = Symbol('probing');
      this.probeLater(this.probing);
    }
  }

  private probeLater(probing: symbol): void {
    this.probeTimer = setTimeout(() => {
      void this.probeOnce(probing);
    }, PROBE_INTERVAL_MS).unref();
  }

  private async probeOnce(probing: symbol): Promise<void> {
    const isThere = await this.client.probe(this.origin);
    if (this.probing !== probing) {
      return;
    }
    this.unaskedProbes += 1;
    if (isThere) {
      this.reportReached();
    } else if (this.unaskedProbes < MAX_UNASKED_PROBES) {
      this.probeLater(probing);
    } else {
      this.probing = undefined;
    }
  }
}

/** Its session store is away, or it has too much to do. */
function isBusyTime({ code }: TunnelFailedError): boolean {
  return code === 'RELAY_PEER_STORE_UNAVAILABLE' || code === 'RELAY_BUSY';
}

function isOutage({ code }: TunnelFailedError): boolean {
  return code === 'RELAY_PEER_UNREACHABLE' || code === 'RELAY_PEER_TIMEOUT';
}
