import { expect, vi } from 'vitest';

import type { Fleet } from './fleet.js';
import { isSlow } from './property.js';
import type { LoadOutcome, SteadyLoad } from './steady-load.js';

/** Before anything breaks: every kind of request has come to its end. */
const WARM_REQUESTS = isSlow ? 400 : 30;
/** Traffic is whole once this many requests in a row were answered. */
const WHOLE_REQUESTS = isSlow ? 200 : 30;
const RECOVERY_LIMIT_MS = 5_000;
/** Time in which those requests are sent and answered. */
const WHOLE_LIMIT_MS = RECOVERY_LIMIT_MS + (isSlow ? 60_000 : 10_000);
const QUIET_MS = 250;
const QUIET_LIMIT_MS = 10_000;
/** What a relay may grow by in one phase: it has just started, uploads are under way, and the collector takes its time. */
const MAX_GROWTH_BYTES = 80 * 1024 * 1024;
const MAX_RESIDENT_BYTES = 256 * 1024 * 1024;
const ONCE = new Set(['POST', 'PATCH']);

/** What a fault did to the traffic that it met. */
export interface Phase {
  readonly outcomes: readonly LoadOutcome[];
  /** Requests that were not answered by the upstream. */
  readonly failed: readonly LoadOutcome[];
  /** In one line, for people. */
  readonly summary: string;
}

/**
 * Lets a fault happen under load, and waits until traffic is whole again. What holds for every fault is asserted here;
 * what a particular one may cost is left to the test.
 *
 * @param fault - returns when the fault is over
 */
export async function underLoad(
  fleet: Fleet,
  fault: (load: SteadyLoad) => Promise<unknown>,
): Promise<Phase> {
  const begunAt = new Date().toISOString();
  const { outcomes, endedAt, whole, residentBefore } = await play(fleet, fault);
  await Promise.all(fleet.replicas.map((replica) => replica.settled()));
  await quiet(fleet);

  const failed = outcomes.filter(({ end }) => end !== 'answered');
  const late = failed.map(({ startedAt }) => startedAt - endedAt).filter((ms) => ms > 0);
  const recoveryMs = Math.round(Math.max(0, ...late));
  const summary = [summaryOf(outcomes, recoveryMs), ...reasonsOf(fleet, begunAt)].join('; ');
  expect(whole, summary).not.toBeInstanceOf(Error);
  expect(recoveryMs, summary).toBeLessThan(RECOVERY_LIMIT_MS);
  expect(failed.filter(isOdd), summary).toEqual([]);
  expect(falseVerdicts(fleet, failed), summary).toEqual([]);
  expect(doubled(fleet, outcomes), summary).toEqual([]);
  expect(repeated(exchangesOf(fleet)), summary).toEqual([]);
  expect(fleet.replicas.flatMap(({ badEnds }) => badEnds)).toEqual([]);
  for (const { name, relay } of fleet.replicas) {
    expect(relay.isRunning(), name).toBe(true);
    expect(relay.rss(), name).toBeLessThan(MAX_RESIDENT_BYTES);
    const grown = relay.rss() - (residentBefore.get(relay.pid) ?? relay.rss());
    expect(grown, name).toBeLessThan(MAX_GROWTH_BYTES);
  }
  return { outcomes, failed, summary };
}

/** Lets the load run through the fault, to the last answer. */
async function play(fleet: Fleet, fault: (load: SteadyLoad) => Promise<unknown>) {
  const load = fleet.load();
  try {
    await load.pass(WARM_REQUESTS);
    const residentBefore = new Map(fleet.replicas.map(({ relay }) => [relay.pid, relay.rss()]));
    await fault(load);
    const endedAt = performance.now();
    const isWhole = (): boolean => answeredInARow(load.outcomes.items, endedAt) >= WHOLE_REQUESTS;
    const found = load.outcomes.find(isWhole, WHOLE_LIMIT_MS);
    const whole = await found.catch((error: unknown) => error);
    return { outcomes: await load.stop(), endedAt, whole, residentBefore };
  } finally {
    await load.stop();
  }
}

/** How many requests were answered since the last one that failed, of those that were sent after `since`. */
function answeredInARow(outcomes: readonly LoadOutcome[], since: number): number {
  const later = outcomes.filter(({ startedAt }) => startedAt > since);
  const lastFailure = Math.max(
    since,
    ...later.flatMap(({ end, startedAt }) => (end === 'answered' ? [] : [startedAt])),
  );
  return later.filter(({ startedAt }) => startedAt > lastFailure).length;
}

/** What a relay may still be sending to the upstream for clients that were told off. */
async function quiet({ upstream }: Fleet): Promise<void> {
  await vi.waitFor(
    () => {
      expect(upstream.running.size).toBe(0);
      expect(performance.now() - upstream.lastActiveAt).toBeGreaterThan(QUIET_MS);
    },
    { timeout: QUIET_LIMIT_MS, interval: QUIET_MS / 5 },
  );
}

/** No answer of anybody, an answer that nobody gave, or a hang: whatever the fault, a relay does better. */
function isOdd({ end }: LoadOutcome): boolean {
  return end === 'wrong' || end === 'hung' || end === 'dropped';
}

/** "no" was executed, or there is no verdict; an answer to HEAD has no room for one. */
function falseVerdicts({ upstream }: Fleet, failed: readonly LoadOutcome[]): LoadOutcome[] {
  return failed
    .filter(({ end, method }) => end === 'refused' && method !== 'HEAD')
    .filter(
      ({ id, forwarded }) =>
        forwarded === undefined || (forwarded === 'no' && upstream.executions(id) > 0),
    );
}

/** Requests that the upstream saw more often than it may, or answers of which it knows nothing. */
function doubled({ upstream, seen }: Fleet, outcomes: readonly LoadOutcome[]): string[] {
  return outcomes.flatMap(({ id, method, end }) => {
    const executions = upstream.executions(id);
    const most = Math.min(ONCE.has(method) ? 1 : 2, seen.count(id));
    const isRight = executions <= most && (executions > 0 || end !== 'answered');
    return isRight ? [] : [`${method} ${id}: ${executions} times, ${seen.count(id)} messages`];
  });
}

/** Messages that were forwarded, by session and sequence number: an inbound relay writes one line for each. */
export function exchangesOf({ inbound }: Fleet): string[] {
  return inbound.flatMap(({ log }) =>
    log.flatMap(({ msg, role, exchange }) =>
      role === 'inbound' && (msg === 'request answered' || msg === 'answer cut off')
        ? [String(exchange)]
        : [],
    ),
  );
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

/** How the requests ended, in numbers. */
function summaryOf(outcomes: readonly LoadOutcome[], recoveryMs: number): string {
  const counts = new Map<string, number>();
  for (const { method, end, status, code, forwarded } of outcomes) {
    const name =
      end === 'answered' ? end : `${method} ${[end, status, code, forwarded].join(' ').trim()}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lines = [...counts].map(([name, count]) => `${count} ${name}`);
  return `${outcomes.length} requests, whole after ${recoveryMs} ms: ${lines.join(', ')}`;
}

/** What the inbound relays had against messages since then, in numbers. */
function reasonsOf({ inbound }: Fleet, since: string): string[] {
  const counts = new Map<string, number>();
  for (const { name, log } of inbound) {
    for (const { msg, time, code, error } of log) {
      if (msg === 'request refused' && String(time) > since) {
        const reason = `${name} ${String(code)} (${deepestMessage(error)})`;
        counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
  }
  return [...counts].map(([reason, count]) => `${count} ${reason}`);
}

function deepestMessage(error: unknown): string {
  const { message, cause } = error as { readonly message?: string; readonly cause?: unknown };
  return cause === undefined ? (message ?? '') : deepestMessage(cause);
}
