import type { Duplex } from 'node:stream';

import { Injectable } from '@nestjs/common';
import { WaitingOctets } from '@relay/channel';
import { RelayConfig, type PeerEntry } from '@relay/config';

import { RateLimiter } from '../admission/rate-limiter.js';
import type { ChannelNumbers, ChannelRole, OpeningResult } from '../telemetry/channel-metrics.js';
import { RelayLog, type LogFields } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { senderNetwork } from '../telemetry/sender-network.js';
import { ChannelReport, type ChannelName, type ObservedChannel } from './channel-report.js';

/**
 * Lines a minute of one kind about one peer, or about the network that it is in: who breaks channels in a loop, on the path or at
 * its end, must not fill a disk.
 */
const LINES_PER_MINUTE = 100;

const CLOCK = { monotonicMs: () => performance.now() };

/** Why an opening failed, and what an operator can do about it. */
const REASONS: Readonly<Record<Exclude<OpeningResult, 'ok'>, string>> = {
  'no-channels':
    'something between the relays carries no WebSocket upgrade on /api/mte-channel; see docs/deployment.md',
  'signed-error':
    'the other relay refuses channels: its TUNNEL_TRANSPORT or MAX_CHANNELS_PER_PEER, or an error of its own',
  unreached: 'the other relay was not reached',
};
/** A path that carries no channels is known at once; everything else is worth a line only if it persists. */
const MANY_FAILURES = 5;

/** A failure to open a channel, and what it means for requests. */
export interface OpeningFailed {
  readonly peer: string;
  readonly transport: PeerEntry['transport'];
  readonly kind: Exclude<OpeningResult, 'ok'>;
  readonly error: Error;
  /** How many times in a row. */
  readonly failures: number;
  /** Whether requests to the peer have other channels. */
  readonly hasOthers: boolean;
}

/** What `/health/ready` shows of channels. */
export interface ChannelSummary {
  readonly open: number;
  readonly streams: number;
  readonly fallbacks: number;
}

/** Logs and counts the channels of both roles. */
@Injectable()
export class ChannelReports {
  private readonly lines = new RateLimiter(LINES_PER_MINUTE, CLOCK);
  private readonly channels = {
    outbound: new Set<ObservedChannel>(),
    inbound: new Set<ObservedChannel>(),
  };
  private readonly endedRecords = { outbound: 0, inbound: 0 };
  private readFallbacks = (): number => 0;

  constructor(
    private readonly log: RelayLog,
    private readonly metrics: RelayMetrics,
    waiting: WaitingOctets,
    config: RelayConfig,
  ) {
    const { channels } = metrics;
    channels.observe((role) => this.numbersOf(role));
    channels.fallbacks.observe(() => this.readFallbacks());
    channels.waitingBytes.observe(() => waiting.bytes);
    channels.bufferBytes.observe(() => config.channelBufferBytes);
  }

  /** Registers what reads to how many peers no channel could be opened. */
  observeFallbacks(read: () => number): void {
    this.readFallbacks = read;
  }

  /** Streams of peers that are open: requests in progress. */
  get inboundStreams(): number {
    return this.numbersOf('inbound').streams;
  }

  /** The numbers of both roles. */
  summary(): ChannelSummary {
    const [outbound, inbound] = [this.numbersOf('outbound'), this.numbersOf('inbound')];
    return {
      open: outbound.open + inbound.open,
      streams: outbound.streams + inbound.streams,
      fallbacks: this.readFallbacks(),
    };
  }

  /** An opening that this relay began has ended. */
  opening(result: OpeningResult): void {
    this.metrics.channels.openings.inc({ result });
  }

  /** A stream was ended by RST_STREAM. @param isOwn - whether this side has sent it */
  reset(role: ChannelRole, code: number, isOwn: boolean): void {
    this.metrics.channels.countReset(role, code, isOwn);
  }

  /** No channel could be opened to a peer. A line says so once, until one was opened. */
  notOpened({ peer, transport, kind, error, failures, hasOthers }: OpeningFailed): void {
    const isDue = failures === (kind === 'no-channels' ? 1 : MANY_FAILURES);
    const isLogged = isDue && !hasOthers && this.lines.tryTake(`not opened ${peer}`);
    const message = transport === 'auto' ? 'requests go as messages' : 'requests have no channel';
    this.log[isLogged ? 'warn' : 'debug'](message, { peer, reason: REASONS[kind], error });
  }

  /**
   * Reports one channel from now on.
   *
   * @param channel - what is read while the channel is open
   * @param socket - the connection of an inbound channel; an outbound one is known by its peer
   */
  of(
    role: ChannelRole,
    name: ChannelName,
    channel: ObservedChannel,
    socket?: Duplex,
  ): ChannelReport {
    const source = name.peer ?? (socket === undefined ? '' : senderNetwork(socket));
    if (name.type === 'conn') {
      // Its connection has lines and a metric of its own.
      return new ChannelReport({ role, ...name }, channel, {
        opened: () => undefined,
        ended: () => undefined,
        line: (_level, message, fields) => {
          this.log.debug(message, fields);
        },
      });
    }
    return new ChannelReport({ role, ...name }, channel, {
      opened: () => this.channels[role].add(channel),
      ended: (cause) => {
        this.channels[role].delete(channel);
        this.endedRecords[role] += channel.recordCount;
        this.metrics.channels.ends.inc({ role, end: cause === undefined ? 'orderly' : 'broken' });
      },
      line: (level, message, fields) => {
        this.line(`${role} ${message} ${source}`, level, message, fields);
      },
    });
  }

  private line(key: string, level: 'info' | 'warn', message: string, fields: LogFields): void {
    if (this.lines.tryTake(key)) {
      this.log[level](message, fields);
    }
  }

  private numbersOf(role: ChannelRole): ChannelNumbers {
    const numbers = { open: 0, draining: 0, streams: 0, records: this.endedRecords[role] };
    for (const { isDraining, streamCount, recordCount } of this.channels[role]) {
      numbers[isDraining ? 'draining' : 'open'] += 1;
      numbers.streams += streamCount;
      numbers.records += recordCount;
    }
    return numbers;
  }
}
