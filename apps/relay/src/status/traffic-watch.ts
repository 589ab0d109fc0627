import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { OF_ENVIRONMENT, RelayConfig } from '@relay/config';
import {
  INTERVAL_SECONDS,
  MAX_INTERVALS,
  RefusalList,
  intervalOf,
  latencyBucket,
  type ProcessHistory,
  type RefusalStatus,
} from '@relay/status';

import type { RequestRecord, Role } from '../telemetry/request-record.js';
import { RequestReports, type RequestEnd } from '../telemetry/request-reports.js';
import { IntervalRing } from './interval-ring.js';
import { Parties } from './parties.js';
import { PartyTraffic } from './party-traffic.js';

const INTERVAL_MS = INTERVAL_SECONDS * 1_000;
/** Requests of clients and peers. Pairings, and what is asked of the relay itself, are not among them. */
const CHARTED_ROLES: ReadonlySet<Role> = new Set(['outbound', 'inbound', 'pass-through']);

/** Identifies a peer that is called, by its name and the origin it is called at. */
export function keyOfPeer(name: string, origin: string): string {
  return `${name} ${origin}`;
}

/**
 * Counts requests by peer, client and time for the status of this process. Its memory is bounded. Without the
 * admin listener it counts nothing.
 */
@Injectable()
export class TrafficWatch {
  /** By `keyOfPeer`. */
  readonly peersCalled = new Parties();
  /** By the name of the peer, which is empty for that of the environment variables; so are clients. */
  readonly peersCalling = new Parties();
  readonly clients = new Parties();
  /** Of all clients and peers. */
  readonly all = new PartyTraffic();
  /** All of them, whoever was refused. */
  readonly refusals = new RefusalList();
  private readonly history = new IntervalRing(MAX_INTERVALS + 1, INTERVAL_MS);

  constructor(
    config: RelayConfig,
    reports: RequestReports,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    if (config.adminPort !== undefined) {
      reports.observe((record, end, ms) => {
        this.add(record, end, ms);
      });
    }
  }

  /** The intervals of the last hour that are complete and had requests. */
  intervals(nowMs: number): ProcessHistory {
    const end = intervalOf(nowMs);
    const seconds = Array.from(
      { length: MAX_INTERVALS },
      (_, index) => end - (MAX_INTERVALS - index) * INTERVAL_SECONDS,
    );
    return seconds.flatMap((second) => {
      const counted = this.history.interval(second * 1_000);
      return counted === undefined ? [] : { second, ...counted };
    });
  }

  private add(record: RequestRecord, end: RequestEnd, ms: number): void {
    const atMs = this.clock.nowMs();
    const bucket = latencyBucket(ms);
    const isError = end.code !== undefined;
    const parties = this.partiesOf(record);
    for (const party of parties) {
      party.add(atMs, bucket, isError);
    }
    if (CHARTED_ROLES.has(record.role)) {
      this.all.add(atMs, bucket, isError);
      this.history.add(atMs, bucket, isError);
    }
    if (end.code !== undefined) {
      const refusal = refusalOf(record, end.code, end.status, atMs);
      this.refusals.add(refusal);
      for (const party of parties) {
        party.lastRefusal = refusal;
      }
    }
  }

  private partiesOf({ role, peer, peerName, grant, exchange }: RequestRecord): PartyTraffic[] {
    if (role === 'inbound') {
      // A message has no name before it is known to be authentic.
      return exchange === undefined ? [] : [this.peersCalling.of(peer ?? OF_ENVIRONMENT)];
    }
    return [
      ...(peerName === undefined || peer === undefined
        ? []
        : [this.peersCalled.of(keyOfPeer(peerName, peer))]),
      ...(grant === undefined ? [] : [this.clients.of(grant.client.name)]),
    ];
  }
}

function refusalOf(
  { requestId, role, clientName, peer }: RequestRecord,
  code: string,
  status: number | undefined,
  atMs: number,
): RefusalStatus {
  return { atMs, code, status, role, client: clientName, peer, requestId };
}
