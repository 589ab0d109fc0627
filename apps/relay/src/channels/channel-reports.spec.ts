import { ChannelBrokenError, WaitingOctets } from '@relay/channel';
import { beforeEach, describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import type { ChannelReport } from './channel-report.js';
import { ChannelReports } from './channel-reports.js';

interface Line {
  readonly msg: string;
  readonly level: number;
}

const WARN = 40;
let lines: Line[];
let metrics: RelayMetrics;
let reports: ChannelReports;

beforeEach(() => {
  lines = [];
  metrics = new RelayMetrics();
  const log = new RelayLog('debug', { write: (line) => lines.push(JSON.parse(line) as Line) });
  reports = new ChannelReports(log, metrics, new WaitingOctets(1), relayConfig());
});

const channel = { streamCount: 2, openedStreams: 7, recordCount: 30, isDraining: false };
const opened = (peer: string, observed = channel): ChannelReport => {
  const report = reports.of('outbound', { type: 'chan', exchange: 'sid-1', peer }, observed);
  report.opened();
  return report;
};
const warnings = (): Line[] => lines.filter(({ level }) => level === WARN);
const samples = async (): Promise<string[]> => (await metrics.registry.metrics()).split('\n');

describe('a peer that breaks channels in a loop', () => {
  it('causes 100 lines of each kind in a minute and no more, and is counted all the same', async () => {
    for (let count = 0; count < 1_000; count += 1) {
      opened('http://one.example').ended(new ChannelBrokenError('cut'));
    }
    expect(lines.filter(({ msg }) => msg === 'channel opened')).toHaveLength(100);
    expect(lines.filter(({ msg }) => msg === 'channel broke')).toHaveLength(100);
    expect(await samples()).toContain(
      'mte_relay_channel_ends_total{role="outbound",end="broken"} 1000',
    );
  });

  it('takes no lines from another', () => {
    for (let count = 0; count < 1_000; count += 1) {
      opened('http://one.example').ended(new ChannelBrokenError('cut'));
    }
    lines = [];
    opened('http://two.example').ended(undefined);
    expect(lines).toMatchObject([
      { msg: 'channel opened' },
      { msg: 'channel ended', reason: 'the other relay ends it', streams: 7, records: 30 },
    ]);
  });
});

describe('the records of a role', () => {
  it('are those of channels that are open and of those that have ended', async () => {
    const growing = { ...channel };
    opened('http://one.example', growing);
    opened('http://one.example').ended(undefined);
    growing.recordCount = 31;
    expect(await samples()).toContain('mte_relay_channel_records_total{role="outbound"} 61');
    growing.isDraining = true;
    expect(await samples()).toEqual(
      expect.arrayContaining([
        'mte_relay_channel_records_total{role="outbound"} 61',
        'mte_relay_channels{role="outbound",state="open"} 0',
        'mte_relay_channels{role="outbound",state="draining"} 1',
        'mte_relay_channel_streams{role="outbound"} 2',
      ]),
    );
  });
});

describe('a stream that the peer resets with a code of its choice', () => {
  it('adds no label', async () => {
    for (const code of [2, 3, 99, 2 ** 32 - 1]) {
      reports.reset('inbound', code, false);
    }
    expect((await samples()).filter((line) => line.startsWith('mte_relay_channel_resets'))).toEqual(
      ['mte_relay_channel_resets_total{role="inbound",direction="in",code="INTERNAL_ERROR"} 4'],
    );
  });
});

describe('a failure to open channels', () => {
  const failed = {
    peer: 'http://one.example',
    transport: 'auto',
    error: new Error('cause'),
    hasOthers: false,
  } as const;

  it('is logged at once if the path carries none, and once', () => {
    for (const failures of [1, 2, 3, 4, 5, 6]) {
      reports.notOpened({ ...failed, kind: 'no-channels', failures });
    }
    expect(warnings()).toMatchObject([
      {
        msg: 'requests go as messages',
        peer: 'http://one.example',
        reason: expect.stringContaining('docs/deployment.md') as string,
      },
    ]);
  });

  it.each(['unreached', 'signed-error'] as const)('is logged if it persists: %s', (kind) => {
    for (const failures of [1, 2, 3, 4]) {
      reports.notOpened({ ...failed, kind, failures });
    }
    expect(warnings()).toEqual([]);
    reports.notOpened({ ...failed, kind, failures: 5 });
    expect(warnings()).toHaveLength(1);
  });

  it('is not logged while requests have other channels', () => {
    reports.notOpened({ ...failed, kind: 'no-channels', failures: 1, hasOthers: true });
    expect(warnings()).toEqual([]);
  });
});
