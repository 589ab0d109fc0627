import {
  INTERVAL_SECONDS,
  MAX_INTERVALS,
  type PeerStatus,
  type RefusalStatus,
  type Status,
  type StatusReport,
  type TrafficHistory,
} from '@relay/status';

const DAY_MS = 86_400_000;
const traffic = {
  requests: 81_240,
  errors: 0,
  requestsPerSecond: 42.4,
  errorsPerSecond: 0,
  p50Ms: 3.2,
  p99Ms: 21.8,
};

/** A refusal of a relay's peer. */
export const refusal = (atMs: number, changes: Partial<RefusalStatus> = {}): RefusalStatus => ({
  atMs,
  code: 'RELAY_PEER_UNREACHABLE',
  status: 502,
  role: 'outbound',
  client: 'billing',
  peer: 'payments',
  requestId: '4f0c1f7e-3c0b-4b7e-9a51-0f5f8c1d2e3a',
  ...changes,
});

/** A peer that is called, and paired. */
export const peer = (changes: Partial<PeerStatus> = {}): PeerStatus => ({
  role: 'outbound',
  name: 'payments',
  origin: 'https://relay.payments.example',
  state: 'paired',
  transport: 'auto',
  channels: 2,
  streams: 7,
  sessions: 1,
  traffic,
  ...changes,
});

/** The status of a relay of both roles, of which everything that a page can show is there. */
export function sampleStatus(changes: Partial<StatusReport> = {}, atMs = Date.now()): Status {
  return {
    report: {
      atMs,
      relay: {
        version: '0.1.0',
        nodeVersion: '26.1.0',
        roles: ['outbound', 'inbound'],
        startedAtMs: atMs - 3.2 * DAY_MS,
        workers: 2,
        config: { port: 8080, adminPort: 9464, outboundToken: '***', mteRoutes: ['/api/*'] },
        directory: 'in use',
        certificateEndsAtMs: atMs + 61 * DAY_MS,
        underWay: 9,
      },
      traffic: { ...traffic, requestsPerSecond: 85 },
      peers: [
        peer(),
        peer({
          name: 'ledger',
          origin: 'https://relay.ledger.example',
          state: 'unreachable',
          channels: 0,
          streams: 0,
          sessions: 0,
          traffic: {
            ...traffic,
            errors: 31,
            requestsPerSecond: 0,
            errorsPerSecond: 0,
            p50Ms: undefined,
            p99Ms: undefined,
          },
          lastRefusal: refusal(atMs - 42_000, { peer: 'ledger' }),
        }),
        peer({
          role: 'inbound',
          name: 'shop',
          origin: undefined,
          channels: 4,
          streams: 2,
          sessions: 0,
          traffic: {
            requests: 20_417,
            errors: 2,
            requestsPerSecond: 12.6,
            errorsPerSecond: 0,
            p50Ms: 8.4,
            p99Ms: 96.2,
          },
        }),
        peer({
          name: undefined,
          origin: undefined,
          state: 'unused',
          channels: 0,
          streams: 0,
          sessions: 0,
          traffic: { requests: 0, errors: 0, requestsPerSecond: 0, errorsPerSecond: 0 },
        }),
      ],
      clients: [
        {
          name: 'billing',
          traffic,
          tokenEndsAtMs: atMs + 200 * DAY_MS,
          lastRefusal: refusal(atMs - 42_000),
        },
        { name: 'reports', traffic, tokenEndsAtMs: atMs + 5 * DAY_MS },
        { traffic },
      ],
      tenants: [
        {
          name: 'orders',
          upstream: 'http://orders.internal:3000',
          state: 'reachable',
          connections: 4,
        },
        { upstream: 'http://api.internal:8081', state: 'unknown', connections: 0 },
      ],
      store: { kind: 'redis', state: 'available', warnings: ['maxmemory-policy is allkeys-lru'] },
      refusals: [
        refusal(atMs - 42_000, { peer: 'ledger' }),
        refusal(atMs - 95_000, {
          code: 'RELAY_TOKEN_INVALID',
          status: 401,
          client: undefined,
          peer: undefined,
        }),
        refusal(atMs - 700_000, { code: 'RELAY_CLIENT_GONE', status: undefined }),
      ],
      ...changes,
    },
    history: sampleHistory(atMs),
  };
}

/** An hour with a gap, a rise, and a few errors. */
function sampleHistory(atMs: number): TrafficHistory {
  const last = Math.floor(atMs / 1000 / INTERVAL_SECONDS) * INTERVAL_SECONDS;
  const at = Array.from({ length: MAX_INTERVALS }, (_, index) => index);
  const requests = at.map((i) =>
    i > 120 && i < 132
      ? 0
      : Math.round(300 + 120 * Math.sin(i / 40) + 25 * Math.sin(i * 0.9) + i / 2),
  );
  return {
    seconds: at.map((i) => last - (MAX_INTERVALS - 1 - i) * INTERVAL_SECONDS),
    requests,
    errors: at.map((i) => (i > 250 && i < 262 ? 30 : 0)),
    p50Ms: at.map((i) => (requests[i] === 0 ? null : 3 + Math.sin(i / 25))),
    p99Ms: at.map((i) =>
      requests[i] === 0 ? null : 18 + 6 * Math.sin(i / 9) + (i > 250 && i < 262 ? 40 : 0),
    ),
  };
}
