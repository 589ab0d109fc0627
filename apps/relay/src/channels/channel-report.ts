import type { ChannelType } from '@relay/protocol';

import type { LogFields } from '../telemetry/relay-log.js';

/** What identifies a channel in the log. */
export interface ChannelName {
  /** `conn` for one that carries an upgraded connection, whose own lines say what operators look for. */
  readonly type: ChannelType;
  /** The name of its opening, the same in both relays' logs. */
  readonly exchange: string;
  /** Origin of the other relay, if this side knows it. */
  readonly peer?: string;
}

/** What is read of a channel while it is open, and when it ends. */
export interface ObservedChannel {
  /** Streams that have a place now. */
  readonly streamCount: number;
  /** Streams that were opened so far. */
  readonly openedStreams: number;
  /** Records sent and received so far. */
  readonly recordCount: number;
  /** Whether the channel takes no new streams. */
  readonly isDraining: boolean;
}

/** Why a channel takes no new streams, and ends in order. */
export type EndReason =
  | 'replaced after its lifetime'
  | 'not used for a minute'
  | 'the other relay ends it'
  | 'this relay is shutting down'
  | 'its peer was forgotten'
  | 'its peer or its tenant was removed'
  | 'its session has expired'
  | 'its records are used up';

/** What is done with the events of a channel. */
interface ReportSink {
  opened(): void;
  ended(cause: Error | undefined): void;
  line(level: 'info' | 'warn', message: string, fields: LogFields): void;
}

/** Reports one channel from its opening to its end. */
export class ChannelReport {
  private readonly startedAtMs = performance.now();
  private reason: EndReason = 'the other relay ends it';
  private hasReason = false;

  constructor(
    private readonly name: LogFields,
    private readonly channel: ObservedChannel,
    private readonly sink: ReportSink,
  ) {}

  /** The first record of the peer has arrived. */
  opened(): void {
    this.sink.opened();
    this.sink.line('info', 'channel opened', this.name);
  }

  /** This side will end the channel. The first reason counts. */
  because(reason: EndReason): void {
    if (!this.hasReason) {
      this.hasReason = true;
      this.reason = reason;
    }
  }

  /** @param cause - why the channel broke; undefined if it ended in order */
  ended(cause: Error | undefined): void {
    const { streamCount, openedStreams, recordCount } = this.channel;
    this.sink.ended(cause);
    const fields = {
      ...this.name,
      ms: Math.round(performance.now() - this.startedAtMs),
      streams: openedStreams,
      records: recordCount,
    };
    if (cause === undefined) {
      this.sink.line('info', 'channel ended', { ...fields, reason: this.reason });
    } else {
      // Also if the connection was lost: the line has the code under which operators look it up.
      const code = 'RELAY_CHANNEL_BROKEN';
      const broken = { brokenStreams: streamCount, code, error: cause };
      this.sink.line('warn', 'channel broke', { ...fields, ...broken });
    }
  }
}
