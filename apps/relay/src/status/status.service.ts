import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '@relay/clock';
import {
  intervalOf,
  statusReport,
  trafficHistory,
  type Status,
  type StatusReport,
  type TrafficHistory,
} from '@relay/status';

import { PrimaryLink } from '../lifecycle/primary-link.js';
import { STARTED_AT_MS } from './process-facts.js';
import { ProcessStatus } from './process-status.js';

/** What this relay does and knows now, all of its workers together. */
@Injectable()
export class StatusService {
  private lastHistory:
    { readonly interval: number; readonly history: Promise<TrafficHistory> } | undefined;

  constructor(
    private readonly process: ProcessStatus,
    private readonly primary: PrimaryLink,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    primary.provide('report', () => process.report());
    primary.provide('history', () => Promise.resolve(process.history()));
  }

  /** @throws Error if the primary does not respond in time */
  async current(): Promise<Status> {
    const [report, history] = await Promise.all([this.report(), this.history()]);
    return { report, history };
  }

  private async report(): Promise<StatusReport> {
    return this.primary.isThere
      ? this.primary.total('report')
      : statusReport(await this.process.report());
  }

  /** Asked for only when an interval has been completed, because it is large. */
  private history(): Promise<TrafficHistory> {
    const nowMs = this.clock.nowMs();
    const interval = intervalOf(nowMs);
    if (this.lastHistory?.interval !== interval) {
      const history = this.primary.isThere
        ? this.primary.total('history')
        : Promise.resolve(trafficHistory(this.process.history(), STARTED_AT_MS, nowMs));
      this.lastHistory = { interval, history };
      history.catch(() => {
        this.lastHistory = undefined;
      });
    }
    return this.lastHistory.history;
  }
}
