import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';
import { Clock } from '@relay/clock';
import { Deferred } from '@relay/http';

import { ChannelReports } from '../channels/channel-reports.js';
import {
  ChannelOpener,
  neverOpen,
  type AcceptedChannel,
  type OpeningFailure,
} from './channel-opener.js';
import { openChannel } from './open-channel.js';
import { PeerChannel } from './peer-channel.js';
import type { SequenceReservation } from './peer-session.js';
import type { Peer } from './peer.js';

const CHECK_INTERVAL_MS = 1_000;

/** The channels of this process that carry a single upgraded connection each. protocol.md section 11.8. */
@Injectable()
export class ConnectionChannels implements OnApplicationShutdown {
  private readonly channels = new Set<PeerChannel>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly opener: ChannelOpener,
    readonly reports: ChannelReports,
    private readonly waiting: WaitingOctets,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.timer = setInterval(() => {
      for (const channel of this.channels) {
        channel.check();
      }
    }, CHECK_INTERVAL_MS).unref();
  }

  /**
   * Opens a channel for one connection, which ends when its stream does.
   *
   * @param network - of the client, for the limit on first pairings
   * @returns the channel, with a place, or why there is none
   * @throws TunnelFailedError if there is no session
   */
  async open(peer: Peer, network: string): Promise<PeerChannel | OpeningFailure> {
    const opened = new Deferred<PeerChannel | OpeningFailure>();
    const failure = await openChannel(peer, this, {
      type: 'conn',
      network,
      onAccepted: (accepted, reservation) => {
        this.add(peer, accepted, reservation, opened);
      },
    });
    return failure ?? opened.promise;
  }

  /** By then no connection is left. */
  onApplicationShutdown(): void {
    clearInterval(this.timer);
    for (const channel of this.channels) {
      channel.terminate(new Error('this relay has been shut down'));
    }
  }

  private add(
    peer: Peer,
    accepted: AcceptedChannel,
    reservation: SequenceReservation,
    opened: Deferred<PeerChannel | OpeningFailure>,
  ): void {
    const channel = new PeerChannel(
      { ordinal: 0, type: 'conn', dueAtMs: Infinity },
      accepted,
      reservation,
      this.waiting,
      {
        onOpen: () => {
          report.opened();
          this.reports.opening('ok');
          opened.resolve(channel);
        },
        onDraining: () => undefined,
        onReset: (code, isOwn) => {
          this.reports.reset('outbound', code, isOwn);
        },
        onEnd: (cause) => {
          this.channels.delete(channel);
          report.ended(cause);
          if (!channel.hasOpened) {
            const failure = neverOpen(cause ?? new Error('the channel ended before it had opened'));
            this.reports.opening(failure.kind);
            opened.resolve(failure);
          }
        },
      },
      this.clock,
    );
    const name = { type: 'conn', exchange: channel.exchange, peer: peer.origin } as const;
    const report = this.reports.of('outbound', name, channel.observed);
    this.channels.add(channel);
  }
}
