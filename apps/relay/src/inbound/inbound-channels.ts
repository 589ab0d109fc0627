import type { Duplex } from 'node:stream';

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DEFAULT_WINDOW_BYTES, InboundChannel, StreamCode, WaitingOctets } from '@relay/channel';
import { Clock } from '@relay/clock';
import { RelayConfig } from '@relay/config';
import {
  deriveRequestKey,
  deriveResponseKey,
  exchangeName,
  type ChannelType,
} from '@relay/protocol';
import type { OpenSession } from '@relay/session';
import type { VerifiedOpening } from '@relay/signature';
import type { WebSocket } from 'ws';

import { UpgradeLimit } from '../admission/upgraded-connections.js';
import { ChannelConnection } from '../channels/channel-connection.js';
import { loadOf, type ChannelLoad } from '../channels/channel-load.js';
import type { ChannelReport } from '../channels/channel-report.js';
import { ChannelReports } from '../channels/channel-reports.js';
import { DirectoryService } from '../directory/directory.service.js';
import { ShutdownState } from '../lifecycle/shutdown-state.js';
import { TenantsService, type TenantClaim } from '../upstream/tenants.service.js';
import { PeerGoneError } from './inbound.errors.js';
import { refuseStream } from './refused-stream.js';
import { StreamReceiver } from './stream-receiver.js';
import { UpgradeReceiver } from './upgrade-receiver.js';

/** Streams that a peer may have open at once in one channel. protocol.md section 11.2. */
const MAX_CONCURRENT_STREAMS = 256;
const CHECK_INTERVAL_MS = 1_000;
/** How long streams may go on after the session of their channel has expired. protocol.md section 11.6. */
const MAX_AFTER_EXPIRY_MS = 24 * 60 * 60 * 1_000;

interface Entry {
  readonly connection: ChannelConnection<InboundChannel>;
  readonly report: ChannelReport;
  /** By the wall clock. */
  readonly expiresAtMs: number;
  readonly type: ChannelType;
  readonly claim: TenantClaim;
  /** When it is ended because its peer or its tenant was removed; monotonic. */
  endsAtMs: number;
}

/** The channels that peers have opened to this process. protocol.md section 11. */
@Injectable()
export class InboundChannels implements OnApplicationShutdown {
  private readonly entries = new Set<Entry>();
  /** Channels of each peer, by its identity, with those that are being opened. */
  private readonly places = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly config: RelayConfig,
    private readonly streams: StreamReceiver,
    private readonly upgrades: UpgradeReceiver,
    private readonly upgradePlaces: UpgradeLimit,
    private readonly waiting: WaitingOctets,
    private readonly reports: ChannelReports,
    @Inject(Clock) private readonly clock: Clock,
    private readonly shutdown: ShutdownState,
    private readonly tenants: TenantsService,
    private readonly directory: DirectoryService,
  ) {
    this.timer = setInterval(() => {
      this.check();
    }, CHECK_INTERVAL_MS).unref();
    shutdown.onBegin(() => {
      for (const { connection, report } of this.entries) {
        report.because('this relay is shutting down');
        connection.channel.goAway();
      }
    });
    directory.onChange(() => {
      for (const entry of this.entries) {
        this.endIfRemoved(entry);
      }
      this.check();
    });
  }

  /** How many channels a peer has open, and streams in them. @param hasKid - whether a secret is one of the peer's */
  loadOf(hasKid: (kid: string) => boolean): ChannelLoad {
    const entries = [...this.entries].filter(({ claim }) => hasKid(claim.kid));
    return loadOf(entries.map(({ connection }) => connection.channel));
  }

  /**
   * Takes the place of one channel of a peer: one of the peer's, or one of all upgraded connections.
   *
   * @returns why there is none, or undefined if there is one; then `release` or `add` must follow
   */
  takePlace(type: ChannelType, identity: string): string | undefined {
    if (type === 'conn') {
      return this.upgradePlaces.tryTake()
        ? undefined
        : 'as many upgraded connections as MAX_UPGRADED_CONNECTIONS are open';
    }
    const taken = this.places.get(identity) ?? 0;
    if (taken >= this.config.maxChannelsPerPeer) {
      return `the peer has as many channels as MAX_CHANNELS_PER_PEER (${taken})`;
    }
    this.places.set(identity, taken + 1);
    return undefined;
  }

  /** Frees the place of a channel that has ended or was not opened. */
  release(type: ChannelType, identity: string): void {
    if (type === 'conn') {
      this.upgradePlaces.release();
      return;
    }
    const left = (this.places.get(identity) ?? 0) - 1;
    if (left > 0) {
      this.places.set(identity, left);
    } else {
      this.places.delete(identity);
    }
  }

  /** Serves a channel, whose place was taken, until it ends. */
  add(
    socket: WebSocket,
    { header, sender, responseHeader }: VerifiedOpening,
    { keys, expiresAtMs, audience }: OpenSession,
    network: Duplex,
  ): void {
    const exchange = exchangeName(header);
    const { kid } = sender.secretKeys;
    const claim = { audience, kid };
    const isConnection = header.type === 'conn';
    const options = {
      openingKey: deriveRequestKey(keys, header.raw),
      sealingKey: deriveResponseKey(keys, header.raw, responseHeader),
      isConnection,
      initialWindowBytes: DEFAULT_WINDOW_BYTES,
      maxConcurrentStreams: isConnection ? 1 : MAX_CONCURRENT_STREAMS,
      stallTimeoutMs: this.config.idleTimeoutMs,
      waiting: this.waiting,
    };
    const connection = new ChannelConnection(
      socket,
      this.clock,
      (transport, events) =>
        new InboundChannel(options, transport, {
          ...events,
          onStream: (stream, head, isLast) => {
            const tenant = this.tenants.find(claim);
            if (tenant === undefined) {
              return refuseStream(stream, StreamCode.REFUSED_STREAM);
            }
            const peer = this.directory.current.nameOf(kid);
            const origin = { exchange, socket: network, tenant, peer };
            return isConnection
              ? this.upgrades.receive(stream, head, origin)
              : this.streams.receive(stream, head, isLast, origin);
          },
        }),
      {
        onOpen: () => {
          report.opened();
        },
        onDraining: () => undefined,
        onReset: (code, isOwn) => {
          this.reports.reset('inbound', code, isOwn);
        },
        onEnd: (cause) => {
          this.entries.delete(entry);
          this.release(header.type, sender.identity);
          report.ended(cause);
        },
      },
    );
    const report = this.reports.of(
      'inbound',
      { exchange, type: header.type },
      connection.channel,
      network,
    );
    const entry: Entry = {
      connection,
      report,
      expiresAtMs,
      type: header.type,
      claim,
      endsAtMs: Infinity,
    };
    this.entries.add(entry);
    // The shutdown may have begun while the number of the opening was being consumed.
    if (this.shutdown.isShuttingDown) {
      connection.channel.goAway();
    }
    // And so may a change of the directory.
    this.endIfRemoved(entry);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    for (const { connection } of this.entries) {
      connection.terminate(new PeerGoneError('this relay has been shut down'));
    }
  }

  private check(): void {
    const nowMs = this.clock.nowMs();
    for (const { connection, report, expiresAtMs, endsAtMs } of this.entries) {
      if (nowMs >= expiresAtMs || connection.channel.isWornOut) {
        report.because(
          nowMs >= expiresAtMs ? 'its session has expired' : 'its records are used up',
        );
        connection.channel.goAway();
      }
      if (nowMs >= expiresAtMs + MAX_AFTER_EXPIRY_MS) {
        connection.terminate(new PeerGoneError('the session of the channel expired a day ago'));
      }
      if (this.clock.monotonicMs() >= endsAtMs) {
        connection.terminate(
          new PeerGoneError('the peer or the tenant of the channel was removed'),
        );
      }
      connection.check();
    }
  }

  /** Requests under way may still end, for as long as at a shutdown. A connection would go on as its ends like. */
  private endIfRemoved(entry: Entry): void {
    if (entry.endsAtMs === Infinity && this.tenants.find(entry.claim) === undefined) {
      const drainMs = entry.type === 'conn' ? 0 : this.config.shutdownTimeoutMs;
      entry.endsAtMs = this.clock.monotonicMs() + drainMs;
      entry.report.because('its peer or its tenant was removed');
      entry.connection.channel.goAway();
    }
  }
}
