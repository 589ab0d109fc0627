import type { Clock } from '@relay/session';

import { backOffMs, type BackOffBounds } from './back-off.js';
import { TunnelFailedError } from './outbound.errors.js';
import type { PairingClient } from './pairing-client.js';
import type { PeerSession } from './peer-session.js';

const UNREACHABLE_BACK_OFF: BackOffBounds = { firstMs: 250, maxMs: 2_000 };
const REFUSED_BACK_OFF: BackOffBounds = { firstMs: 500, maxMs: 30_000 };
/** What anybody on the path can provoke by an unsigned error: one pairing in this time. */
const MIN_SUSPICION_INTERVAL_MS = 30_000;

/** Room for one message: nobody else gets this sequence number. */
export interface SessionSlot {
  readonly session: PeerSession;
  readonly sequence: number;
}

/** One relay that this one talks to: its current session, the pairing under way, or why there is none. */
export class Peer {
  private current: PeerSession | undefined;
  private pairing: Promise<PeerSession> | undefined;
  private failure: TunnelFailedError | undefined;
  private failures = 0;
  private retryAtMs = 0;
  private suspectedAtMs = -Infinity;

  constructor(
    readonly origin: string,
    private readonly client: PairingClient,
    private readonly clock: Clock,
  ) {}

  /**
   * Room for one message, in a session that is paired for it where there is none, once for all who wait.
   *
   * @throws TunnelFailedError, at once while a failed pairing is backed off from
   */
  async take(): Promise<SessionSlot> {
    for (;;) {
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
    }
  }

  /** Something that is not proven speaks against the session: it stays, and a new one is tried now and then. */
  suspect(): void {
    const now = this.clock.monotonicMs();
    if (now - this.suspectedAtMs >= MIN_SUSPICION_INTERVAL_MS) {
      this.suspectedAtMs = now;
      this.pairInBackground();
    }
  }

  private async session(): Promise<PeerSession> {
    const { current } = this;
    const now = this.clock.monotonicMs();
    if (current?.isUsable(now) !== true) {
      return this.pair();
    }
    if (current.isDueForRenewal(now)) {
      this.pairInBackground();
    }
    return current;
  }

  private pairInBackground(): void {
    // Whoever needs the outcome asks for it; the client has logged it.
    this.pair().catch(() => undefined);
  }

  private async pair(): Promise<PeerSession> {
    if (this.pairing === undefined) {
      const waitMs = this.retryAtMs - this.clock.monotonicMs();
      if (this.failure !== undefined && waitMs > 0) {
        throw this.failureAgain(this.failure, waitMs);
      }
      this.pairing = this.pairOnce();
    }
    return this.pairing;
  }

  private async pairOnce(): Promise<PeerSession> {
    try {
      const session = await this.client.pair(this.origin);
      this.current = session;
      this.failure = undefined;
      this.failures = 0;
      return session;
    } catch (error) {
      if (error instanceof TunnelFailedError) {
        this.failures += 1;
        this.failure = error;
        this.retryAtMs = this.clock.monotonicMs() + backOffMs(boundsFor(error), this.failures);
      }
      throw error;
    } finally {
      this.pairing = undefined;
    }
  }

  private failureAgain(failure: TunnelFailedError, waitMs: number): TunnelFailedError {
    const retryAfter = Math.ceil(waitMs / 1000);
    return new TunnelFailedError(failure.code, 'no', failure.message, {
      cause: failure.cause,
      retryAfter,
    });
  }
}

function boundsFor({ code }: TunnelFailedError): BackOffBounds {
  return code === 'RELAY_PAIR_REFUSED' ? REFUSED_BACK_OFF : UNREACHABLE_BACK_OFF;
}
