import { loadOf, type ChannelLoad } from '../channels/channel-load.js';
import type { ChannelReport, EndReason } from '../channels/channel-report.js';
import { neverOpen, type AcceptedChannel, type OpeningFailure } from './channel-opener.js';
import { channelsToKeep, hasRoomToDrain } from './channel-numbers.js';
import type { ChannelTools } from './channel-tools.js';
import { openChannel } from './open-channel.js';
import { OpeningDelay } from './opening-delay.js';
import { PeerChannel } from './peer-channel.js';
import type { PeerListener } from './peer-listener.js';
import type { SequenceReservation } from './peer-session.js';
import type { Peer } from './peer.js';
import { WakeUps } from './wake-ups.js';

/** How long channels are kept to a peer that nobody asks. protocol.md section 11.6. */
const KEPT_MS = 60_000;
/** The lifetimes of channels differ by up to this part, so that they do not all end together. */
const LIFETIME_SPREAD = 0.2;

/** The channels to one peer: opened in the background, replaced in time, and chosen for each stream. protocol.md section 11.6. */
export class PeerChannels implements PeerListener {
  /** How many channels have been opened so far. */
  openedCount = 0;
  private readonly channels = new Map<PeerChannel, ChannelReport>();
  private readonly delay: OpeningDelay;
  private readonly wakeUps = new WakeUps();
  private opening = 0;
  private askedAtMs = -Infinity;
  private lastFailure: Error | undefined;
  private lastKind: OpeningFailure['kind'] | undefined;
  private failures = 0;
  private isClosed = false;

  constructor(
    private readonly peer: Peer,
    private readonly tools: ChannelTools,
  ) {
    this.delay = new OpeningDelay(tools.clock);
    peer.listen(this);
  }

  /** Whether no channel could be opened for requests of the last minute. */
  get hasFallenBack(): boolean {
    const isAsked = this.isAsked(this.tools.clock.monotonicMs());
    return isAsked && this.failures > 0 && this.channels.size === 0;
  }

  /** Whether the peer has no channel, because the last attempts to open one have not reached it: `unknown` once there are no more. */
  get reach(): 'unreachable' | 'unknown' | undefined {
    if (this.lastKind !== 'unreached' || this.failures === 0 || this.channels.size > 0) {
      return undefined;
    }
    return this.isAsked(this.tools.clock.monotonicMs()) ? 'unreachable' : 'unknown';
  }

  /** How many channels there are, and streams in them. */
  get load(): ChannelLoad {
    return loadOf([...this.channels.keys()]);
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
    if (this.peer.known.entry.transport === 'message') {
      return undefined;
    }
    this.askedAtMs = this.tools.clock.monotonicMs();
    let best: PeerChannel | undefined;
    for (const channel of this.channels.keys()) {
      const isCandidate = channel.hasPlace && channel.ordinal > after;
      if (isCandidate && (best === undefined || channel.streamCount < best.streamCount)) {
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
    return this.wakeUps.next(limitMs);
  }

  /** A request has ended, and with it perhaps a stream. */
  notePlace(): void {
    this.wakeUps.wakeAll();
  }

  /** To be called about once a second: checks, replaces and ends channels. */
  check(): void {
    const nowMs = this.tools.clock.monotonicMs();
    for (const channel of this.channels.keys()) {
      channel.check();
      if (channel.becomesSteady(nowMs)) {
        this.delay.reset();
      }
    }
    if (!this.isAsked(nowMs)) {
      this.finish('not used for a minute', () => true);
      return;
    }
    this.keep();
    const isReplaced = this.fresh(nowMs).length >= channelsToKeep(this.tools.config);
    if (isReplaced && hasRoomToDrain(this.tools.config, this.draining)) {
      this.finish('replaced after its lifetime', (channel) => channel.isDue(nowMs));
    }
    this.wakeUps.wakeAll();
  }

  onUsable(): void {
    this.delay.skip();
    this.keep();
  }

  onClose(): void {
    this.isClosed = true;
    this.finish('its peer was forgotten', () => true);
  }

  /** Whether the peer was forgotten, and the last channel to it has ended. */
  get isOver(): boolean {
    return this.isClosed && this.channels.size === 0 && this.opening === 0;
  }

  /** Ends all channels: in order, and after `limitMs` at once. */
  async end(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    this.isClosed = true;
    this.finish('this relay is shutting down', () => true);
    while (!this.isOver && performance.now() < deadlineMs) {
      await this.wakeUps.next(deadlineMs - performance.now());
    }
    for (const channel of this.channels.keys()) {
      channel.terminate(new Error('this relay has been shut down'));
    }
  }

  private get draining(): number {
    return [...this.channels.keys()].filter(({ isClosing }) => isClosing).length;
  }

  private isAsked(nowMs: number): boolean {
    return nowMs - this.askedAtMs < KEPT_MS;
  }

  /** Channels that need not be replaced. */
  private fresh(nowMs: number): PeerChannel[] {
    return [...this.channels.keys()].filter(
      (channel) => !channel.isClosing && !channel.isDue(nowMs),
    );
  }

  private finish(reason: EndReason, isMeant: (channel: PeerChannel) => boolean): void {
    for (const [channel, report] of this.channels) {
      if (!channel.isClosing && isMeant(channel)) {
        report.because(reason);
        channel.finish();
      }
    }
  }

  /** Opens as many channels as are missing to a peer that is asked. One that a client has merely named is not asked for any. */
  private keep(): void {
    const { config, clock } = this.tools;
    const nowMs = clock.monotonicMs();
    const isWanted = this.isAsked(nowMs) && this.peer.hasPaired && !this.isClosed;
    if (!isWanted || this.peer.known.entry.transport === 'message') {
      return;
    }
    const fresh = this.fresh(nowMs);
    const areFull = fresh.length > 0 && fresh.every(({ isFull }) => isFull);
    const wanted = Math.max(channelsToKeep(config), areFull ? fresh.length + 1 : 0);
    const missing = Math.min(wanted, config.maxChannelsPerPeer) - fresh.length - this.opening;
    for (let count = 0; count < missing && this.delay.isOver; count += 1) {
      void this.open();
    }
  }

  /** Opens one channel. It never rejects. */
  private async open(): Promise<void> {
    this.opening += 1;
    try {
      const failure = await openChannel(this.peer, this.tools, {
        type: 'chan',
        onAccepted: (accepted, reservation) => {
          this.add(accepted, reservation);
        },
      });
      if (failure !== undefined) {
        this.noteFailure(failure);
      }
    } catch (error) {
      // No session, which has been logged.
      this.noteFailure({ kind: 'unreached', cause: error as Error });
    } finally {
      this.opening -= 1;
      this.wakeUps.wakeAll();
    }
  }

  private add(accepted: AcceptedChannel, reservation: SequenceReservation): void {
    const { waiting, reports, clock, config } = this.tools;
    const spread = 1 + LIFETIME_SPREAD * (2 * Math.random() - 1);
    this.openedCount += 1;
    const channel = new PeerChannel(
      {
        type: 'chan',
        ordinal: this.openedCount,
        dueAtMs: clock.monotonicMs() + config.channelLifetimeSeconds * 1_000 * spread,
      },
      accepted,
      reservation,
      waiting,
      {
        onOpen: () => {
          report.opened();
          // Whether the path keeps what it accepts is not known yet.
          this.delay.skip();
          reports.opening('ok');
          this.failures = 0;
          this.lastFailure = undefined;
          this.wakeUps.wakeAll();
        },
        onDraining: () => {
          channel.finish();
          this.keep();
        },
        onReset: (code, isOwn) => {
          reports.reset('outbound', code, isOwn);
        },
        onEnd: (cause) => {
          this.channels.delete(channel);
          report.ended(cause);
          this.wakeUps.wakeAll();
          this.noteEnd(channel, cause);
        },
      },
      clock,
    );
    const name = { type: 'chan', exchange: channel.exchange, peer: this.peer.origin } as const;
    const report = reports.of('outbound', name, channel.observed);
    this.channels.set(channel, report);
    if (this.isClosed) {
      channel.finish();
    }
  }

  /** Whoever is on the path can accept openings and break what follows, as fast as channels are opened again. */
  private noteEnd(channel: PeerChannel, cause: Error | undefined): void {
    if (cause === undefined) {
      return;
    }
    const isSteady = channel.isSteady(this.tools.clock.monotonicMs());
    if (!channel.hasOpened) {
      const failure = neverOpen(cause);
      this.tools.reports.opening(failure.kind);
      this.noteFailure(failure);
    } else if (isSteady) {
      this.delay.skip();
    } else {
      this.delay.begin('unreached');
    }
    this.peer.noteDisconnect();
    this.keep();
  }

  private noteFailure(failure: OpeningFailure): void {
    this.delay.begin(failure.kind);
    this.failures += 1;
    this.lastFailure = failure.cause;
    this.lastKind = failure.kind;
    this.tools.reports.notOpened({
      peer: this.peer.origin,
      transport: this.peer.known.entry.transport,
      kind: failure.kind,
      error: this.lastFailure,
      failures: this.failures,
      hasOthers: this.channels.size > 0,
    });
  }
}
