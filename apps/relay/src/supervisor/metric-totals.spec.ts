import { beforeEach, describe, expect, it } from 'vitest';

import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { RequestRecord } from '../telemetry/request-record.js';
import type { Snapshot } from '../lifecycle/worker-messages.js';
import { MetricTotals } from './metric-totals.js';

const OK = { role: 'inbound', code: 'ok' } as const;

/** The metrics of a worker as the primary receives them, after their way through JSON. */
const received = async ({ registry }: RelayMetrics): Promise<Snapshot> =>
  JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as Snapshot;

const worker = async (requests: number, hasStore = true): Promise<Snapshot> => {
  const metrics = new RelayMetrics();
  metrics.requests.inc(OK, requests);
  metrics.requestSeconds.observe({ role: 'inbound' }, 0.02);
  metrics.concurrentRequests.observe(() => requests);
  metrics.storeAvailable.set(hasStore ? 1 : 0);
  metrics.certificateNotAfter.set(2_000_000_000);
  metrics.traffic.add(Object.assign(new RequestRecord('id', 'inbound'), { bytesIn: requests }));
  metrics.openSockets.observe(() => requests, 'listener');
  metrics.channels.observe(() => ({ open: 1, draining: 0, streams: requests, records: requests }));
  metrics.channels.bufferBytes.observe(() => 1_000);
  metrics.upgradedConnections.observe(() => requests, 'inbound');
  metrics.upgradedConnectionsLimit.observe(() => 100);
  return received(metrics);
};

/** The value of one sample. */
const sample = async (name: string): Promise<number | undefined> => {
  const line = (await totals.total()).split('\n').find((text) => text.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
};

const REQUESTS = 'mte_relay_requests_total{role="inbound",code="ok"}';
const BYTES = 'mte_relay_body_bytes_total{role="inbound",direction="in"}';
const UNDER_20_MS = 'mte_relay_request_duration_seconds_bucket{le="0.025",role="inbound"}';
const SOCKETS = 'mte_relay_open_sockets{side="listener"}';
const CHANNELS = 'mte_relay_channels{role="inbound",state="open"}';
const STREAMS = 'mte_relay_channel_streams{role="inbound"}';
const RECORDS = 'mte_relay_channel_records_total{role="inbound"}';
const STORE = 'mte_relay_store_available';

let lines: string[];
let totals: MetricTotals;

beforeEach(() => {
  lines = [];
  totals = new MetricTotals(new RelayLog('error', { write: (line) => lines.push(line) }));
});

describe('the metrics of two workers', () => {
  it('are summed, except for those that cannot be', async () => {
    totals.take('one', await worker(3));
    totals.take('two', await worker(4, false));

    expect(await sample(REQUESTS)).toBe(7);
    expect(await sample(BYTES)).toBe(7);
    expect(await sample(UNDER_20_MS)).toBe(2);
    expect(await sample(SOCKETS)).toBe(7);
    expect(await sample(CHANNELS)).toBe(2);
    expect(await sample(STREAMS)).toBe(7);
    expect(await sample(RECORDS)).toBe(7);
    expect(await sample('mte_relay_channel_buffer_bytes')).toBe(2_000);
    expect(await sample('mte_relay_upgraded_connections{role="inbound"}')).toBe(7);
    expect(await sample('mte_relay_upgraded_connections_limit')).toBe(200);
    expect(await sample('mte_relay_concurrent_requests')).toBe(7);
    expect(await sample(STORE)).toBe(0);
    expect(await sample('mte_relay_tls_certificate_not_after_seconds')).toBe(2_000_000_000);
  });

  it('replace the earlier metrics of the same worker', async () => {
    totals.take('one', await worker(3));
    totals.take('one', await worker(5));
    expect(await sample(REQUESTS)).toBe(5);
  });

  it('have the largest event loop lag and the earliest start time', async () => {
    const [one, two] = [await worker(0), await worker(0)];
    const set = (metrics: Snapshot, name: string, value: number): void => {
      metrics.find((metric) => metric.name === name)!.values[0]!.value = value;
    };
    set(one, 'nodejs_eventloop_lag_p99_seconds', 0.01);
    set(two, 'nodejs_eventloop_lag_p99_seconds', 3);
    set(one, 'process_start_time_seconds', 1_000);
    set(two, 'process_start_time_seconds', 2_000);
    totals.take('one', one);
    totals.take('two', two);

    expect(await sample('nodejs_eventloop_lag_p99_seconds')).toBe(3);
    expect(await sample('process_start_time_seconds')).toBe(1_000);
  });

  it('keep the counters of workers that have ended, and nothing else of them', async () => {
    for (const name of ['one', 'two', 'three']) {
      totals.take(name, await worker(3));
    }
    totals.leave('one');
    totals.leave('two');
    totals.leave('a worker without metrics');

    expect(await sample(REQUESTS)).toBe(9);
    expect(await sample(BYTES)).toBe(9);
    expect(await sample(UNDER_20_MS)).toBe(3);
    expect(await sample(SOCKETS)).toBe(3);
    expect(await sample(CHANNELS)).toBe(1);
    expect(await sample(RECORDS)).toBe(9);
    expect(await sample(STORE)).toBe(1);
  });

  it('lose the counters of a worker if they cannot be summed, and nothing else', async () => {
    const unknown = await worker(5);
    unknown[0]!.aggregator = 'not an aggregator' as 'sum';
    totals.take('one', await worker(3));
    totals.take('two', unknown);
    totals.take('three', [null] as unknown as Snapshot);
    totals.take('four', await worker(4));
    for (const name of ['one', 'two', 'three', 'four']) {
      totals.leave(name);
    }

    expect(await sample(REQUESTS)).toBe(7);
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.includes('the counts of a worker are lost'))).toBe(true);
  });

  it('have the same names and types as those of one process', async () => {
    const described = (text: string): string[] =>
      text.split('\n').filter((line) => line.startsWith('# '));
    totals.take('one', await worker(1));
    totals.take('two', await worker(1));

    expect(described(await totals.total()).sort()).toEqual(
      described(await new RelayMetrics().registry.metrics()).sort(),
    );
  });
});
