import { describe, expect, it } from 'vitest';

import { MAX_ROWS } from './status-report.js';
import { statusReport, sumReports, type ProcessReport } from './sum-reports.js';

type PeerRow = ProcessReport['peers'][number];

const TRAFFIC = {
  requests: 10,
  errors: 2,
  requestsPerSecond: 1.5,
  errorsPerSecond: 0.5,
  latencies: [20, 10],
};
const refusal = (atMs: number) => ({
  atMs,
  code: 'RELAY_BUSY',
  role: 'outbound',
  requestId: `request ${atMs}`,
});
const PEER: PeerRow = {
  role: 'outbound',
  name: 'payments',
  origin: 'https://payments.example',
  state: 'paired',
  transport: 'auto',
  channels: 2,
  streams: 3,
  sessions: 1,
  traffic: TRAFFIC,
};

const report = (startedAtMs: number, peers: readonly PeerRow[] = [PEER]): ProcessReport => ({
  atMs: 5_000,
  relay: {
    version: '1.2.3',
    nodeVersion: 'v26.0.0',
    roles: ['outbound', 'inbound'],
    startedAtMs,
    workers: 1,
    config: {},
    directory: 'in use',
    underWay: 4,
  },
  traffic: TRAFFIC,
  peers,
  clients: [{ name: 'billing', traffic: TRAFFIC, lastRefusal: refusal(startedAtMs) }],
  tenants: [{ upstream: 'http://api.example', state: 'reachable', connections: 6 }],
  store: { kind: 'redis', state: 'available', warnings: [] },
  refusals: [refusal(startedAtMs)],
});

describe('the reports of two workers', () => {
  it('are added', () => {
    const sum = sumReports([report(2_000), report(1_000)]);
    expect(sum.relay).toMatchObject({ workers: 2, startedAtMs: 1_000, underWay: 8 });
    expect(sum.peers).toHaveLength(1);
    expect(sum.peers[0]).toMatchObject({ channels: 4, streams: 6, sessions: 2 });
    expect(sum.peers[0]?.traffic).toEqual({
      requests: 20,
      errors: 4,
      requestsPerSecond: 3,
      errorsPerSecond: 1,
      latencies: [20, 20],
    });
    expect(sum.clients[0]?.traffic.requests).toBe(20);
    expect(sum.traffic).toEqual(sum.peers[0]?.traffic);
    expect(sum.clients[0]?.lastRefusal?.atMs).toBe(2_000);
    expect(sum.tenants[0]?.connections).toBe(12);
    expect(sum.refusals.map(({ atMs }) => atMs)).toEqual([2_000, 1_000]);
  });

  it('tell of what is wrong with either', () => {
    const broken: ProcessReport = {
      ...report(1_000, [{ ...PEER, state: 'unreachable' }]),
      relay: { ...report(1_000).relay, directory: 'refused' },
      tenants: [{ upstream: 'http://api.example', state: 'unreachable', connections: 0 }],
      store: { kind: 'redis', state: 'unavailable', warnings: [] },
    };
    const sum = sumReports([report(1_000), broken]);
    expect(sum.peers[0]?.state).toBe('unreachable');
    expect(sum.tenants[0]?.state).toBe('unreachable');
    expect(sum.relay.directory).toBe('refused');
    expect(sum.store.state).toBe('unavailable');
  });

  it('have the peers that clients have named at either of them, those that are called first', () => {
    const calling: PeerRow = { ...PEER, role: 'inbound', name: 'shop', origin: undefined };
    const named: PeerRow = { ...PEER, name: undefined, origin: 'https://named.example' };
    const sum = sumReports([report(1, [PEER, calling]), report(2, [PEER, named, calling])]);
    expect(sum.peers.map(({ name, origin, channels }) => [name, origin, channels])).toEqual([
      ['payments', 'https://payments.example', 4],
      [undefined, 'https://named.example', 2],
      ['shop', undefined, 4],
    ]);
  });

  it('have as many peers of each role as one report may have', () => {
    const named = (worker: number) =>
      Array.from({ length: MAX_ROWS }, (_, at) => ({
        ...PEER,
        origin: `https://${worker}-${at}.example`,
      }));
    expect(sumReports([report(1, named(1)), report(2, named(2))]).peers).toHaveLength(MAX_ROWS);
  });

  it('keep peers apart that differ in role, name or origin', () => {
    const peers: readonly PeerRow[] = [
      PEER,
      { ...PEER, origin: 'https://other.example' },
      { ...PEER, name: 'orders' },
      { ...PEER, role: 'inbound', origin: undefined },
    ];
    const sum = sumReports([report(1, peers), report(1, peers.toReversed())]);
    expect(sum.peers.map(({ role, name, origin }) => ({ role, name, origin }))).toEqual(
      peers.map(({ role, name, origin }) => ({ role, name, origin })),
    );
    expect(sum.peers.every(({ channels }) => channels === 4)).toBe(true);
  });
});

it('what was counted by a worker that has ended remains, and nothing else of it', () => {
  const departed = report(1_000, [{ ...PEER, state: 'unreachable' }]);
  const sum = sumReports([report(2_000)], [departed]);
  expect(sum.relay).toMatchObject({ workers: 1, startedAtMs: 2_000, underWay: 4 });
  expect(sum.peers[0]).toMatchObject({ state: 'paired', channels: 2, streams: 3, sessions: 1 });
  expect(sum.peers[0]?.traffic).toEqual({
    requests: 20,
    errors: 4,
    requestsPerSecond: 1.5,
    errorsPerSecond: 0.5,
    latencies: [20, 10],
  });
  expect(sum.tenants[0]?.connections).toBe(6);
  expect(sum.refusals).toHaveLength(2);
});

it('a report is shown with percentiles instead of counts', () => {
  const { peers, clients } = statusReport(report(1_000));
  const { latencies, ...counts } = TRAFFIC;
  expect(latencies).toHaveLength(2);
  expect(peers[0]?.traffic).toEqual({ ...counts, p50Ms: 8, p99Ms: 8 });
  expect(clients[0]?.traffic).toEqual({ ...counts, p50Ms: 8, p99Ms: 8 });
});
