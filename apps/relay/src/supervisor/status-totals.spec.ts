import { INTERVAL_SECONDS, intervalOf, type ProcessReport } from '@relay/status';
import { describe, expect, it } from 'vitest';

import { HistoryTotals, ReportTotals } from './status-totals.js';

const report = (requests: number): ProcessReport => ({
  atMs: 1_000,
  relay: {
    version: '1.2.3',
    nodeVersion: 'v26.0.0',
    roles: ['outbound'],
    startedAtMs: 500,
    workers: 1,
    config: {},
    directory: 'none',
    underWay: 0,
  },
  traffic: { requests, errors: 0, requestsPerSecond: 1, errorsPerSecond: 0, latencies: [] },
  peers: [],
  clients: [
    {
      name: 'billing',
      traffic: { requests, errors: 0, requestsPerSecond: 1, errorsPerSecond: 0, latencies: [] },
    },
  ],
  tenants: [],
  store: { kind: 'memory', state: 'available', warnings: [] },
  refusals: [],
});

describe('the reports of workers', () => {
  it('count what workers had counted that have ended, however many those are', () => {
    const totals = new ReportTotals();
    totals.take('one', report(1));
    totals.take('two', report(2));
    totals.take('two', report(3));
    totals.take('three', report(10));
    totals.leave('one');
    totals.leave('two');
    totals.leave('a worker without a report');
    const { relay, clients } = totals.total();
    expect(relay.workers).toBe(1);
    expect(clients[0]?.traffic).toMatchObject({ requests: 14, requestsPerSecond: 1 });
  });

  it('come to nothing before there is any', () => {
    expect(() => new ReportTotals().total()).toThrow('no worker has sent a report');
  });
});

describe('the histories of workers', () => {
  it('have what workers had counted that have ended', () => {
    const second = intervalOf(Date.now()) - INTERVAL_SECONDS;
    const history = (requests: number) => [
      { second, requests, errors: 1, latencies: [4, requests] },
    ];
    const totals = new HistoryTotals((second - 1) * 1_000);
    totals.take('one', history(2));
    totals.take('two', history(3));
    totals.leave('one');
    const { seconds, requests, errors } = totals.total();
    const at = seconds.indexOf(second);
    expect(requests[at]).toBe(5);
    expect(errors[at]).toBe(2);
  });
});
