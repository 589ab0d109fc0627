import { percentileMs, sumLatencies, type Latencies } from './latencies.js';
import { RefusalList } from './refusal-list.js';
import {
  MAX_ROWS,
  type PeerStatus,
  type RefusalStatus,
  type RelayFacts,
  type ReportOf,
  type StatusReport,
  type TenantStatus,
  type TrafficStatus,
} from './status-report.js';

/** What one process counted of one party. */
export interface TrafficCounts {
  /** Since its start, as are errors. */
  readonly requests: number;
  readonly errors: number;
  /** On average over the last ten seconds, as are errors. */
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** Of the last minute. */
  readonly latencies: Latencies;
}

/** The report of one process, which can be added to those of others. */
export type ProcessReport = ReportOf<TrafficCounts>;

type PeerRow = PeerStatus<TrafficCounts>;

/** From what matters most to an operator. */
const PEER_STATES: readonly PeerStatus['state'][] = [
  'unreachable',
  'paired',
  'reachable',
  'unknown',
  'unused',
];
const TENANT_STATES: readonly TenantStatus['state'][] = ['unreachable', 'reachable', 'unknown'];

/**
 * Adds the reports of the workers of one relay. All have one configuration, but clients name other peers at each of them.
 *
 * @param reports - of the workers that run
 * @param departed - of workers that have ended: what they have counted remains in the sums
 */
export function sumReports(
  [first, ...others]: readonly [ProcessReport, ...ProcessReport[]],
  departed: readonly ProcessReport[] = [],
): ProcessReport {
  const reports = [first, ...others];
  const past = departed.map(countedOnly);
  const peers = sumRows(reports, past, (report) => report.peers, keyOfPeer, sumPeers);
  return {
    atMs: Math.max(...reports.map(({ atMs }) => atMs)),
    relay: sumFacts(
      first.relay,
      reports.map(({ relay }) => relay),
    ),
    traffic: sumTraffic([...reports, ...past].map(({ traffic }) => traffic)),
    peers: [...firstOf(peers, 'outbound'), ...firstOf(peers, 'inbound')],
    clients: sumRows(reports, past, (report) => report.clients, nameOf, sumClients),
    tenants: sumRows(reports, [], (report) => report.tenants, nameOf, sumTenants),
    store: reports.find(({ store }) => store.state === 'unavailable')?.store ?? first.store,
    refusals: sumRefusals([...reports, ...past].flatMap(({ refusals }) => refusals)),
  };
}

/** The report as it is shown: with percentiles instead of counts. */
export function statusReport({ traffic, peers, clients, ...rest }: ProcessReport): StatusReport {
  return {
    ...rest,
    traffic: trafficStatus(traffic),
    peers: peers.map((peer) => ({ ...peer, traffic: trafficStatus(peer.traffic) })),
    clients: clients.map((client) => ({ ...client, traffic: trafficStatus(client.traffic) })),
  };
}

function trafficStatus({ latencies, ...counts }: TrafficCounts): TrafficStatus {
  return { ...counts, p50Ms: percentileMs(latencies, 0.5), p99Ms: percentileMs(latencies, 0.99) };
}

/** Without what a process has no more of once it has ended: states, channels, the traffic of this moment. */
function countedOnly(report: ProcessReport): ProcessReport {
  const past = <Row extends { readonly traffic: TrafficCounts }>(row: Row): Row => ({
    ...row,
    traffic: { ...row.traffic, requestsPerSecond: 0, errorsPerSecond: 0, latencies: [] },
  });
  return {
    ...past(report),
    peers: report.peers.map((peer) => ({
      ...past(peer),
      state: 'unused',
      channels: 0,
      streams: 0,
      sessions: 0,
    })),
    clients: report.clients.map(past),
  };
}

function sumFacts(first: RelayFacts, all: readonly RelayFacts[]): RelayFacts {
  return {
    ...first,
    startedAtMs: Math.min(...all.map(({ startedAtMs }) => startedAtMs)),
    workers: sum(all.map(({ workers }) => workers)),
    directory: all.find(({ directory }) => directory === 'refused')?.directory ?? first.directory,
    underWay: sum(all.map(({ underWay }) => underWay)),
  };
}

/** Adds the rows with the same key. Those that only workers had which have ended are left out. */
function sumRows<Row>(
  reports: readonly ProcessReport[],
  past: readonly ProcessReport[],
  rowsOf: (report: ProcessReport) => readonly Row[],
  keyOf: (row: Row) => string,
  add: (same: readonly [Row, ...Row[]]) => Row,
): readonly Row[] {
  const byKey = new Map<string, [Row, ...Row[]]>();
  for (const row of reports.flatMap(rowsOf)) {
    const same = byKey.get(keyOf(row));
    if (same === undefined) {
      byKey.set(keyOf(row), [row]);
    } else {
      same.push(row);
    }
  }
  for (const row of past.flatMap(rowsOf)) {
    byKey.get(keyOf(row))?.push(row);
  }
  return [...byKey.values()].map(add);
}

function firstOf(peers: readonly PeerRow[], role: PeerRow['role']): readonly PeerRow[] {
  return peers.filter((peer) => peer.role === role).slice(0, MAX_ROWS);
}

function sumPeers(same: readonly [PeerRow, ...PeerRow[]]): PeerRow {
  const states = same.map(({ state }) => state);
  return {
    ...same[0],
    state: PEER_STATES.find((state) => states.includes(state)) ?? 'unknown',
    channels: sum(same.map(({ channels }) => channels)),
    streams: sum(same.map(({ streams }) => streams)),
    sessions: sum(same.map(({ sessions }) => sessions)),
    traffic: sumTraffic(same.map(({ traffic }) => traffic)),
    lastRefusal: lastOf(same),
  };
}

type ClientRow = ProcessReport['clients'][number];

function sumClients(same: readonly [ClientRow, ...ClientRow[]]): ClientRow {
  return {
    ...same[0],
    traffic: sumTraffic(same.map(({ traffic }) => traffic)),
    lastRefusal: lastOf(same),
  };
}

function sumTenants(same: readonly [TenantStatus, ...TenantStatus[]]): TenantStatus {
  const states = same.map(({ state }) => state);
  return {
    ...same[0],
    state: TENANT_STATES.find((state) => states.includes(state)) ?? 'unknown',
    connections: sum(same.map(({ connections }) => connections)),
  };
}

function sumTraffic(all: readonly TrafficCounts[]): TrafficCounts {
  return {
    requests: sum(all.map(({ requests }) => requests)),
    errors: sum(all.map(({ errors }) => errors)),
    requestsPerSecond: sum(all.map(({ requestsPerSecond }) => requestsPerSecond)),
    errorsPerSecond: sum(all.map(({ errorsPerSecond }) => errorsPerSecond)),
    latencies: sumLatencies(all.map(({ latencies }) => latencies)),
  };
}

function sumRefusals(refusals: readonly RefusalStatus[]): readonly RefusalStatus[] {
  const list = new RefusalList();
  for (const refusal of refusals.toSorted((one, other) => one.atMs - other.atMs)) {
    list.add(refusal);
  }
  return list.newestFirst;
}

function lastOf(
  rows: readonly { readonly lastRefusal?: RefusalStatus | undefined }[],
): RefusalStatus | undefined {
  return rows
    .flatMap(({ lastRefusal }) => lastRefusal ?? [])
    .sort((one, other) => other.atMs - one.atMs)[0];
}

function keyOfPeer({ role, name, origin }: PeerRow): string {
  return JSON.stringify([role, name, origin]);
}

function nameOf({ name = '' }: { readonly name?: string | undefined }): string {
  return name;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
