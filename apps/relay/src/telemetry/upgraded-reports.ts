import { Injectable } from '@nestjs/common';
import type { ErrorCode } from '@relay/errors';
import type { JoinedEnds, JoinOutcome } from '@relay/http';

import { UpgradedConnections, type UpgradeRole } from '../admission/upgraded-connections.js';
import type { RequestRecord } from './request-record.js';
import { RequestReports } from './request-reports.js';

/** The code of a connection that ended because one of its ends was lost. */
const CODES: Readonly<Record<UpgradeRole, Readonly<Record<'near' | 'far', ErrorCode>>>> = {
  outbound: { near: 'RELAY_CLIENT_GONE', far: 'RELAY_PEER_CONNECTION_LOST' },
  inbound: { near: 'RELAY_PEER_GONE', far: 'RELAY_UPSTREAM_FAILED' },
  'pass-through': { near: 'RELAY_CLIENT_GONE', far: 'RELAY_UPSTREAM_FAILED' },
};

/** Counts upgraded connections while they last, and reports how they ended. */
@Injectable()
export class UpgradedReports {
  constructor(
    private readonly connections: UpgradedConnections,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Waits for the end of a connection.
   *
   * @param ends - the near one is that of whoever has asked for the upgrade
   * @param record - of the request, which was reported when its connection was upgraded
   */
  async untilOver(role: UpgradeRole, ends: JoinedEnds, record: RequestRecord): Promise<void> {
    const startedAtMs = performance.now();
    this.connections.add(role, ends, record);
    const outcome = await ends.over;
    const { forth, back } = ends.bytes;
    record.bytesIn = forth;
    record.bytesOut = back;
    if (role !== 'pass-through') {
      record.sealedIn = role === 'outbound' ? back : forth;
      record.sealedOut = role === 'outbound' ? forth : back;
    }
    const end = { code: codeOf(role, outcome), error: outcome.cause };
    this.reports.connectionEnded(record, end, performance.now() - startedAtMs);
  }
}

/** A connection that this relay ends because it stops has none: nobody is at fault. */
function codeOf(role: UpgradeRole, { lost }: JoinOutcome): ErrorCode | undefined {
  return lost === undefined ? undefined : CODES[role][lost];
}
