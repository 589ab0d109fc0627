import { Counter, Gauge, type Registry } from 'prom-client';

import { ObservableGauge } from './observable-gauge.js';

/** The role in which a relay has a channel. */
export type ChannelRole = 'outbound' | 'inbound';

/** Numbers of the channels of one role. */
export interface ChannelNumbers {
  /** Channels that take new streams. */
  readonly open: number;
  /** Channels that only finish the streams that they have. */
  readonly draining: number;
  /** Streams that are open in either. */
  readonly streams: number;
  /** Records that these channels, and all that have ended, have sent and received. */
  readonly records: number;
}

/** How an opening ended: accepted, or the kind of failure. */
export type OpeningResult = 'ok' | 'signed-error' | 'unreached' | 'no-channels';

const ROLES: readonly ChannelRole[] = ['outbound', 'inbound'];
const OPENING_RESULTS: readonly OpeningResult[] = [
  'ok',
  'signed-error',
  'unreached',
  'no-channels',
];
/** Names of the codes of RST_STREAM. The peer chooses the code, so all others have the name that they are treated as. */
const CODE_NAMES: Readonly<Record<number, string>> = {
  0: 'NO_ERROR',
  1: 'PROTOCOL_ERROR',
  7: 'REFUSED_STREAM',
  8: 'CANCEL',
};

/** The metrics of channels. Those on which an alert depends start at 0. */
export class ChannelMetrics {
  readonly openings: Counter<'result'>;
  readonly ends: Counter<'role' | 'end'>;
  readonly fallbacks: ObservableGauge;
  readonly waitingBytes: ObservableGauge;
  readonly bufferBytes: ObservableGauge;
  private readonly resets: Counter<'role' | 'direction' | 'code'>;
  private read: ((role: ChannelRole) => ChannelNumbers) | undefined;

  constructor(registry: Registry) {
    this.publishNumbers(registry);
    const registers = [registry];
    this.openings = new Counter({
      name: 'mte_relay_channel_openings_total',
      help: 'Openings of channels that this relay began, by result',
      labelNames: ['result'],
      registers,
    });
    this.ends = new Counter({
      name: 'mte_relay_channel_ends_total',
      help: 'Channels that ended, by role, in order or broken',
      labelNames: ['role', 'end'],
      registers,
    });
    this.resets = new Counter({
      name: 'mte_relay_channel_resets_total',
      help: 'Streams that were ended by RST_STREAM, by role, direction and code',
      labelNames: ['role', 'direction', 'code'],
      registers,
    });
    this.fallbacks = new ObservableGauge(
      registry,
      'mte_relay_channel_fallbacks',
      'Peers to which no channel could be opened',
    );
    this.waitingBytes = new ObservableGauge(
      registry,
      'mte_relay_channel_waiting_bytes',
      'Bytes that wait for slow consumers in all channels',
    );
    this.bufferBytes = new ObservableGauge(
      registry,
      'mte_relay_channel_buffer_bytes',
      'The most bytes that may wait for slow consumers: CHANNEL_BUFFER_BYTES',
    );
    this.startAtZero();
  }

  /** Registers what reads the numbers of a role. */
  observe(read: (role: ChannelRole) => ChannelNumbers): void {
    this.read = read;
  }

  /** A stream was ended by RST_STREAM. @param isOwn - whether this side has sent it */
  countReset(role: ChannelRole, code: number, isOwn: boolean): void {
    const name = CODE_NAMES[code] ?? 'INTERNAL_ERROR';
    this.resets.inc({ role, direction: isOwn ? 'out' : 'in', code: name });
  }

  private startAtZero(): void {
    for (const result of OPENING_RESULTS) {
      this.openings.inc({ result }, 0);
    }
    for (const role of ROLES) {
      this.ends.inc({ role, end: 'orderly' }, 0);
      this.ends.inc({ role, end: 'broken' }, 0);
    }
  }

  /** Numbers are read when metrics are collected, so that counting them costs nothing in between. */
  private publishNumbers(registry: Registry): void {
    const numbersOf = (role: ChannelRole): ChannelNumbers =>
      this.read?.(role) ?? { open: 0, draining: 0, streams: 0, records: 0 };
    new Gauge({
      name: 'mte_relay_channels',
      help: 'Channels that take new streams (open) or only finish those that they have (draining), by role',
      labelNames: ['role', 'state'],
      registers: [registry],
      collect() {
        for (const role of ROLES) {
          const { open, draining } = numbersOf(role);
          this.set({ role, state: 'open' }, open);
          this.set({ role, state: 'draining' }, draining);
        }
      },
    });
    new Gauge({
      name: 'mte_relay_channel_streams',
      help: 'Streams that are open in channels, by role',
      labelNames: ['role'],
      registers: [registry],
      collect() {
        ROLES.forEach((role) => {
          this.set({ role }, numbersOf(role).streams);
        });
      },
    });
    new Counter({
      name: 'mte_relay_channel_records_total',
      help: 'Records of channels that were sent and received, by role',
      labelNames: ['role'],
      registers: [registry],
      collect() {
        this.reset();
        ROLES.forEach((role) => {
          this.inc({ role }, numbersOf(role).records);
        });
      },
    });
  }
}
