import { Injectable } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics, type ChannelRole } from '../telemetry/relay-metrics.js';

/** What identifies a channel in the log. */
export interface ChannelName {
  /** The name of its opening, the same in both relays' logs. */
  readonly exchange: string;
  /** Origin of the other relay, if this side knows it. */
  readonly peer?: string;
}

/** Numbers of the channels of one role. */
export interface ChannelCounts {
  readonly channels: number;
  readonly streams: number;
}

/** Reports one channel. */
export interface ChannelReport {
  draining(): void;
  /** @param cause - why the channel broke; undefined if it ended in order */
  ended(cause: Error | undefined, records: number): void;
}

const NO_CHANNELS =
  'something between the relays carries no WebSocket upgrade on /api/mte-channel; see docs/deployment.md';
const MANY_FAILURES = 5;

/** Logs and counts channels. */
@Injectable()
export class ChannelReports {
  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    waiting: WaitingOctets,
  ) {
    metrics.channelWaitingBytes.observe(() => waiting.bytes);
  }

  /** Registers what reads the numbers of a role. */
  observe(role: ChannelRole, read: () => ChannelCounts): void {
    this.metrics.channels.observe(() => read().channels, role);
    this.metrics.channelStreams.observe(() => read().streams, role);
  }

  /** An opening has ended. @param result - `ok`, or the kind of failure */
  opening(result: string): void {
    this.metrics.channelOpenings.inc({ result });
  }

  /**
   * No channel could be opened to a peer, so that requests go as messages. It is logged once: when the path has shown that it
   * carries none, or the peer was not reached several times in a row.
   *
   * @param failures - how many times in a row
   */
  notOpened(peer: string, kind: string, error: Error, failures: number): void {
    const reason = kind === 'no-channels' ? NO_CHANNELS : 'no channel could be opened';
    const isWorthALine = kind === 'no-channels' ? failures === 1 : failures === MANY_FAILURES;
    this.log[isWorthALine ? 'warn' : 'debug']('requests go as messages', { peer, reason, error });
  }

  /** A channel was opened. */
  opened(role: ChannelRole, name: ChannelName): ChannelReport {
    const startedAt = performance.now();
    this.log.info('channel opened', { role, ...name });
    return {
      draining: () => {
        this.log.debug('channel takes no new streams', { role, ...name });
      },
      ended: (cause, records) => {
        const ms = Math.round(performance.now() - startedAt);
        this.metrics.channelRecords.inc({ role }, records);
        this.metrics.channelEnds.inc({ role, end: cause === undefined ? 'orderly' : 'broken' });
        if (cause === undefined) {
          this.log.info('channel ended', { role, ...name, ms });
        } else {
          // Also if the connection was lost: the line has the code under which operators look it up.
          const code = 'RELAY_CHANNEL_BROKEN';
          this.log.warn('channel broke', { role, ...name, ms, code, error: cause });
        }
      },
    };
  }
}
