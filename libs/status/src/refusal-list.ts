import { MAX_REFUSALS, type RefusalStatus } from './status-report.js';

/**
 * The last refusals. Once the list is full, the oldest with the code that it has most of makes room, so that a flood of one kind,
 * which anybody can cause, does not push out the few that matter.
 */
export class RefusalList {
  /** Oldest first. */
  private readonly refusals: RefusalStatus[] = [];
  private readonly countByCode = new Map<string, number>();

  /** Adds one that is not older than those in the list. */
  add(refusal: RefusalStatus): void {
    this.refusals.push(refusal);
    this.count(refusal.code, 1);
    if (this.refusals.length > MAX_REFUSALS) {
      this.removeOne();
    }
  }

  /** At most `MAX_REFUSALS`. */
  get newestFirst(): readonly RefusalStatus[] {
    return this.refusals.toReversed();
  }

  private removeOne(): void {
    const [most] = [...this.countByCode].reduce((one, other) => (other[1] > one[1] ? other : one));
    this.refusals.splice(
      this.refusals.findIndex(({ code }) => code === most),
      1,
    );
    this.count(most, -1);
  }

  private count(code: string, change: number): void {
    const count = (this.countByCode.get(code) ?? 0) + change;
    if (count === 0) {
      this.countByCode.delete(code);
    } else {
      this.countByCode.set(code, count);
    }
  }
}
