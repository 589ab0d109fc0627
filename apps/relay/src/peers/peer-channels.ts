import type { WaitingOctets } from '@relay/channel';
import type { Clock } from '@relay/clock';
import type { RelayConfig } from '@relay/config';
import { RelayStatus } from '@relay/errors';

import type { ChannelReports } from '../channels/channel-reports.js';
import {
  openingError,
  type AcceptedChannel,
  type ChannelOpener,
  type OpeningFailure,
} from './channel-opener.js';
import { OpeningDelay } from './opening-delay.js';
import { PeerChannel } from './peer-channel.js';
import type { PeerListener } from './peer-listener.js';
import type { SequenceReservation } from './peer-session.js';
import type { Peer } from './peer.js';

/** How long channels are kept to a peer that nobody asks. protocol.md section 11.6. */
const KEPT_MS = 60_000;
/** The lifetimes of channels differ by up to this part, so that they do not all end together. */
const LIFETIME_SPREAD = 0.2;

const SESSION_GONE: ReadonlySet<number> = new Set([
  RelayStatus.SESSION_EXPIRED,
  RelayStatus.SESSION_UNKNOWN,
  // Late although it came in time: a clock was stepped, and only another session has the right age.
  RelayStatus.DECODE_FAILED,
]);

/** What the channels to all peers share. */
export interface ChannelTools {
  readonly opener: ChannelOpener;
  readonly config: RelayConfig;
  readonly reports: ChannelReports;
  readonly waiting: WaitingOctets;
  readonly clock: Clock;
}

/** The channels to one peer: opened in the background, replaced in time, and chosen for each stream. protocol.md section 11.6. */
export class PeerChannels implements PeerListener {
  /** How many channels have been opened so far. */
  openedCount = 0;
  private readonly channels = new Set<PeerChannel>();
  private readonly delay: OpeningDelay;
  private readonly waiting = new Set<() => void>();
  private opening = 0;
  private askedAtMs = -Infinity;
  private lastFailure: Error | undefined;
  private failures = 0;
  private isClosed = false;

  constructor(
    private readonly peer: Peer,
    private readonly tools: ChannelTools,
  ) {
    this.delay = new OpeningDelay(tools.clock);
    peer.listen(this);
  }

  /** Channels that are open, and their streams. */
  get counts(): { readonly channels: number; readonly streams: number } {
    const channels = [...this.channels];
    return {
      channels: channels.length,
      streams: channels.reduce((sum, { occupied }) => sum + occupied, 0),
    };
  }

  /** Whether the path to the peer has shown that it carries no channels. */
  get hasFallenBack(): boolean {
    return this.failures > 0 && this.channels.size === 0;
  }

  /** Why no channel could be opened the last time, if that is so. */
  get failure(): Error | undefined {
    return this.lastFailure;
  }

  /**
   * The channel with the fewest streams. Use its place in the same turn.
   *
   * @param after - only channels that were opened when `openedCount` was already this
   * @returns undefined if no channel has a place now; others are opened in the background
   */
  take(after = 0): PeerChannel | undefined {
    if (this.tools.config.tunnelTransport === 'message') {
      return undefined;
    }
    this.askedAtMs = this.tools.clock.monotonicMs();
    let best: PeerChannel | undefined;
    for (const channel of this.channels) {
      const isCandidate = channel.hasPlace && channel.ordinal > after;
      if (isCandidate && (best === undefined || channel.occupied < best.occupied)) {
        best = channel;
      }
    }
    if (best === undefined) {
      this.keep();
    }
    return best;
  }

  /** Waits until a channel may have a place or has ended, for at most `limitMs`. */
  untilPlace(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, limitMs);
      this.waiting.add(wake);
    });
  }

  /** To be called about once a second: checks, replaces and ends channels. */
  check(): void {
    const nowMs = this.tools.clock.monotonicMs();
    for (const channel of this.channels) {
      channel.check();
    }
    if (!this.isAsked(nowMs)) {
      this.finish(() => true);
      return;
    }
    this.keep();
    const replaced = this.fresh(nowMs).length >= this.tools.config.channelsPerPeer;
    this.finish((channel) => (replaced ? channel.isDue(nowMs) : channel.isOverdue(nowMs)));
    this.wakeWaiting();
  }

  onUsable(): void {
    this.delay.skip();
    if (this.isAsked(this.tools.clock.monotonicMs())) {
      this.keep();
    }
  }

  onClose(): void {
    this.isClosed = true;
    this.finish(() => true);
  }

  /** Whether the peer was forgotten, and the last channel to it has ended. */
  get isOver(): boolean {
    return this.isClosed && this.channels.size === 0 && this.opening === 0;
  }

  /** Ends all channels in order, and those that are left after `limitMs` because of `cause`. */
  async end(limitMs: number, cause: Error): Promise<void> {
    this.onClose();
    const deadlineMs = performance.now() + limitMs;
    for (let leftMs = limitMs; !this.isOver && leftMs > 0;) {
      await this.untilPlace(leftMs);
      leftMs = deadlineMs - performance.now();
    }
    for (const channel of this.channels) {
      channel.terminate(cause);
    }
  }

  private isAsked(nowMs: number): boolean {
    return nowMs - this.askedAtMs < KEPT_MS;
  }

  /** Channels that need not be replaced. */
  private fresh(nowMs: number): PeerChannel[] {
    return [...this.channels].filter((channel) => !channel.isClosing && !channel.isDue(nowMs));
  }

  private finish(isMeant: (channel: PeerChannel) => boolean): void {
    for (const channel of this.channels) {
      if (!channel.isClosing && isMeant(channel)) {
        channel.finish();
      }
    }
  }

  /** Opens as many channels as are missing. One that a client has merely named is not asked for any. */
  private keep(): void {
    const { config, clock } = this.tools;
    if (this.isClosed || !this.peer.hasPaired || config.tunnelTransport === 'message') {
      return;
    }
    const fresh = this.fresh(clock.monotonicMs());
    const areFull = fresh.length > 0 && fresh.every(({ isFull }) => isFull);
    const wanted = Math.max(config.channelsPerPeer, areFull ? fresh.length + 1 : 0);
    const missing = Math.min(wanted, config.maxChannelsPerPeer) - fresh.length - this.opening;
    for (let count = 0; count < missing && this.delay.isOver; count += 1) {
      void this.open();
    }
  }

  /** Opens one channel. It never rejects. */
  private async open(): Promise<void> {
    this.opening += 1;
    try {
      const failure = await this.tryTwice();
      if (failure !== undefined) {
        this.noteFailure(failure);
      }
    } catch (error) {
      // No session, which has been logged.
      this.noteFailure({ kind: 'unreached', cause: error as Error });
    } finally {
      this.opening -= 1;
      this.wakeWaiting();
    }
  }

  /** An opening may have been repeated by a gateway, and its session may be gone: both show only now. */
  private async tryTwice(): Promise<OpeningFailure | undefined> {
    const failure = await this.tryOnce();
    const isWorthwhile =
      failure?.kind === 'signed-error' &&
      (SESSION_GONE.has(failure.signedError.status) ||
        failure.signedError.status === RelayStatus.REPLAYED);
    return isWorthwhile ? this.tryOnce() : failure;
  }

  private async tryOnce(): Promise<OpeningFailure | undefined> {
    const { opener, reports } = this.tools;
    const reservation = await this.peer.reserve();
    const failure = await opener.open(this.peer.origin, reservation, 'chan', (accepted) => {
      this.add(accepted, reservation);
    });
    reports.opening(failure?.kind ?? 'ok');
    if (failure?.kind === 'signed-error' && SESSION_GONE.has(failure.signedError.status)) {
      this.peer.drop(reservation.session.sid);
    }
    return failure;
  }

  private add(accepted: AcceptedChannel, reservation: SequenceReservation): void {
    const { waiting, reports, clock, config } = this.tools;
    const spread = 1 + LIFETIME_SPREAD * (2 * Math.random() - 1);
    this.openedCount += 1;
    const channel = new PeerChannel(
      this.openedCount,
      accepted,
      reservation,
      waiting,
      {
        onOpen: () => {
          this.delay.reset();
          this.failures = 0;
          this.lastFailure = undefined;
          this.wakeWaiting();
        },
        onDraining: () => {
          report.draining();
          channel.finish();
          this.keep();
        },
        onEnd: (cause) => {
          this.channels.delete(channel);
          report.ended(cause, channel.recordCount);
          this.wakeWaiting();
          if (cause !== undefined) {
            this.peer.noteDisconnect();
            this.keepIfAsked();
          }
        },
      },
      clock,
      clock.monotonicMs() + config.channelLifetimeSeconds * 1_000 * spread,
    );
    const report = reports.opened('outbound', {
      exchange: channel.exchange,
      peer: this.peer.origin,
    });
    this.channels.add(channel);
    if (this.isClosed) {
      channel.finish();
    }
  }

  private keepIfAsked(): void {
    if (this.isAsked(this.tools.clock.monotonicMs())) {
      this.keep();
    }
  }

  private noteFailure(failure: OpeningFailure): void {
    this.delay.begin(failure.kind);
    this.failures += 1;
    this.lastFailure = openingError(failure);
    this.tools.reports.notOpened(this.peer.origin, failure.kind, this.lastFailure, this.failures);
  }

  private wakeWaiting(): void {
    for (const wake of [...this.waiting]) {
      wake();
    }
  }
}
