import { expect } from 'vitest';

import type { Outcome } from './load.js';

const SLOW_MS = 1000;
const MAX_EXECUTIONS = { GET: 2, POST: 1 } as const;

const forwardedVerdict = (body: string): unknown => {
  try {
    return (JSON.parse(body) as { error: { forwarded: unknown } }).error.forwarded;
  } catch {
    // Not a relay's response: there is no verdict.
    return undefined;
  }
};

export const failures = (outcomes: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter(({ status }) => status !== 200);

/**
 * Compares the responses to clients with the requests that the upstream received: a request with a 200 was executed,
 * one with the verdict "no" was not, no POST ran twice, no GET ran more than twice, and the last requests succeeded.
 */
export function expectTrueVerdicts(
  outcomes: readonly Outcome[],
  executed: ReadonlyMap<string, number>,
): void {
  expect(outcomes.length).toBeGreaterThan(100);
  for (const outcome of outcomes) {
    const times = executed.get(outcome.id) ?? 0;
    expect(times, JSON.stringify(outcome)).toBeLessThanOrEqual(MAX_EXECUTIONS[outcome.method]);
    if (outcome.status === 200) {
      expect(times, JSON.stringify(outcome)).toBeGreaterThan(0);
    } else {
      const verdict = forwardedVerdict(outcome.body);
      expect(verdict, JSON.stringify(outcome)).toBeOneOf(['no', 'maybe']);
      if (verdict === 'no') {
        expect(times, JSON.stringify(outcome)).toBe(0);
      }
    }
  }
  const inOrder = outcomes.toSorted((one, other) => one.startedAt - other.startedAt);
  expect(failures(inOrder.slice(-50))).toEqual([]);
}

/** The figures of a run, in one line for its reader. */
export function summary(what: string, outcomes: readonly Outcome[]): string {
  const failed = failures(outcomes);
  const slowestMs = Math.max(...outcomes.map(({ ms }) => ms));
  const codes = new Set(failed.map(({ status, body }) => `${status} ${body.slice(0, 120)}`));
  const list = codes.size > 0 ? `: ${[...codes].slice(0, 3).join(' | ')}` : '';
  const slow = outcomes.filter(({ ms }) => ms > SLOW_MS).length;
  return `${what}: ${outcomes.length} requests, ${failed.length} failed, ${slow} over ${SLOW_MS} ms, slowest ${slowestMs} ms${list}`;
}
