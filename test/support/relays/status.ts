import type { ClientStatus, PeerStatus, Status, StatusReport, TrafficHistory } from '@relay/status';

import { PageFolder } from '../../../apps/relay/src/admin/page-files.js';
import { StatusService } from '../../../apps/relay/src/status/status.service.js';
import { adminOf } from './admin.js';
import { startRelay, type RelayEnvironment, type TestRelay } from './relay.js';

const AT_MS = 1_767_225_600_000;

const TRAFFIC = {
  requests: 3,
  errors: 1,
  requestsPerSecond: 0.3,
  errorsPerSecond: 0,
  p50Ms: 4,
  p99Ms: 90,
};

/** A relay that is called by one peer. */
export const REPORT: StatusReport = {
  atMs: AT_MS,
  relay: {
    version: '0.1.0',
    nodeVersion: 'v20.20.2',
    roles: ['inbound'],
    startedAtMs: AT_MS - 90_061_000,
    workers: 2,
    config: { port: 8080, outboundToken: '***' },
    directory: 'in use',
    underWay: 7,
  },
  traffic: TRAFFIC,
  peers: [aPeer({ name: 'partner', role: 'inbound', origin: undefined })],
  clients: [aClient({ name: 'billing' })],
  tenants: [{ upstream: 'http://127.0.0.1:9', state: 'reachable', connections: 2 }],
  store: { kind: 'redis', state: 'available', warnings: [] },
  refusals: [
    {
      atMs: AT_MS - 1_000,
      code: 'RELAY_PEER_TIMEOUT',
      status: 504,
      role: 'outbound',
      client: 'billing',
      peer: 'partner',
      requestId: 'request-1',
    },
  ],
};

const HISTORY: TrafficHistory = {
  seconds: [AT_MS / 1_000 - 10, AT_MS / 1_000],
  requests: [1, 2],
  errors: [0, 1],
  p50Ms: [null, 4],
  p99Ms: [null, 90],
};

export const STATUS: Status = { report: REPORT, history: HISTORY };

export function aPeer(peer: Partial<PeerStatus> = {}): PeerStatus {
  return {
    role: 'outbound',
    name: undefined,
    origin: 'https://relay.example',
    state: 'paired',
    transport: 'auto',
    channels: 2,
    streams: 1,
    sessions: 1,
    traffic: TRAFFIC,
    ...peer,
  };
}

export function aClient(client: Partial<ClientStatus> = {}): ClientStatus {
  return { name: undefined, traffic: TRAFFIC, ...client };
}

/** Stands for what a relay knows of itself. */
export class ScriptedStatus implements Pick<StatusService, 'current'> {
  calls = 0;
  /** What comes next: by default, a relay as above. */
  next: () => Promise<Status> = () => Promise.resolve(STATUS);

  current(): Promise<Status> {
    this.calls += 1;
    return this.next();
  }
}

/** A relay whose admin listener shows a scripted status. */
export interface AdminRelay extends TestRelay {
  readonly status: ScriptedStatus;
  /** The address of the admin listener, and its port. */
  readonly admin: string;
  readonly adminPort: number;
}

/** @param page - the folder of the built page; without one, the page has not been built */
export async function startAdminRelay(
  environment: RelayEnvironment = {},
  page = '/nonexistent',
): Promise<AdminRelay> {
  const status = new ScriptedStatus();
  const relay = await startRelay({ ADMIN_PORT: '0', ...environment }, (builder) =>
    builder
      .overrideProvider(StatusService)
      .useValue(status)
      .overrideProvider(PageFolder)
      .useValue({ path: page }),
  );
  const admin = await adminOf(relay);
  return { ...relay, status, admin, adminPort: Number(new URL(admin).port) };
}
