import type { SequenceReservation } from '../../../apps/relay/src/peers/peer-session.js';
import type { CheckResult, SessionChecker } from '../../../apps/relay/src/peers/session-checker.js';

/** Checks sessions without a peer, and records the checks; the test decides what they show. */
export class FakeSessionChecker {
  /** The numbers that the checks so far consumed, in order. */
  readonly sequences: number[] = [];
  private readonly results: (CheckResult | Promise<CheckResult>)[] = [];

  /** This object as the class that it replaces. */
  get asSessionChecker(): SessionChecker {
    return this as unknown as SessionChecker;
  }

  /** Determines the results of the next checks; after them, every session is alive. */
  willShow(...results: (CheckResult | Promise<CheckResult>)[]): void {
    this.results.push(...results);
  }

  async check(_address: unknown, { sequence }: SequenceReservation): Promise<CheckResult> {
    this.sequences.push(sequence);
    return (await this.results.shift()) ?? { kind: 'alive' };
  }
}
