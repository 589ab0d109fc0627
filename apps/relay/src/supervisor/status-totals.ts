import {
  MAX_INTERVALS,
  statusReport,
  sumHistories,
  sumReports,
  trafficHistory,
  type ProcessHistory,
  type ProcessReport,
  type StatusReport,
  type TrafficHistory,
} from '@relay/status';

import type { Sum } from './worker-parts.js';

/** The reports of all workers as that of one relay. What workers have counted that have ended remains in it. */
export class ReportTotals implements Sum<ProcessReport, StatusReport> {
  private readonly latest = new Map<unknown, ProcessReport>();
  private departed: ProcessReport | undefined;

  take(worker: unknown, report: ProcessReport): void {
    this.latest.set(worker, report);
  }

  leave(worker: unknown): void {
    const last = this.latest.get(worker);
    this.latest.delete(worker);
    if (last !== undefined) {
      this.departed = sumReports([last], this.past);
    }
  }

  /** @throws Error if no worker has sent a report; one that asks for the total has sent its own */
  total(): StatusReport {
    const [first, ...others] = this.latest.values();
    if (first === undefined) {
      throw new Error('no worker has sent a report');
    }
    return statusReport(sumReports([first, ...others], this.past));
  }

  private get past(): readonly ProcessReport[] {
    return this.departed === undefined ? [] : [this.departed];
  }
}

/** The histories of all workers as that of one relay, with those of workers that have ended. */
export class HistoryTotals implements Sum<ProcessHistory, TrafficHistory> {
  private readonly latest = new Map<unknown, ProcessHistory>();
  private departed: ProcessHistory = [];

  /** @param startedAtMs - of the relay: milliseconds since 1970 */
  constructor(private readonly startedAtMs: number) {}

  take(worker: unknown, history: ProcessHistory): void {
    this.latest.set(worker, history);
  }

  leave(worker: unknown): void {
    const past = sumHistories([this.departed, this.latest.get(worker) ?? []]);
    this.departed = past.slice(-MAX_INTERVALS);
    this.latest.delete(worker);
  }

  total(): TrafficHistory {
    const history = sumHistories([...this.latest.values(), this.departed]);
    return trafficHistory(history, this.startedAtMs, Date.now());
  }
}
