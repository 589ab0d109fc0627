import { expect, vi } from 'vitest';

import type { Fleet } from '../processes/fleet.js';
import { isSlow } from '../lifecycle/property.js';
import type { LoadOutcome, SteadyLoad } from '../clients/steady-load.js';

/** Requests before the fault: enough for every kind to have ended at least once. */
const WARM_REQUESTS = isSlow ? 400 : 30;
/** Traffic has recovered once this many requests in a row have succeeded. */
const WHOLE_REQUESTS = isSlow ? 200 : 30;
const RECOVERY_LIMIT_MS = 20_000;
/** The time limit for these requests. */
const WHOLE_LIMIT_MS = RECOVERY_LIMIT_MS + (isSlow ? 60_000 : 10_000);
const QUIET_MS = 250;
const QUIET_LIMIT_MS = 10_000;
/** How much memory a relay may gain in one phase: it has just started, uploads are in progress, and GC is lazy. */
const MAX_GROWTH_BYTES = 80 * 1024 * 1024;
const MAX_RESIDENT_BYTES = 256 * 1024 * 1024;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a fault under load needs of a fleet. */
export type LoadedFleet = Pick<Fleet, 'replicas' | 'inbound' | 'upstream' | 'seen' | 'load'>;

/** The effect of a fault on the traffic. */
export interface Phase {
  readonly outcomes: readonly LoadOutcome[];
  /** Requests that did not receive the upstream's response. */
  readonly failed: readonly LoadOutcome[];
  /** One line for the reader of the test output. */
  readonly summary: string;
}

/**
 * Runs a fault under load, and waits until traffic has recovered. Asserts what must hold for every fault; how many
 * requests a particular fault may cost is for the test to assert.
 *
 * @param fault - resolves when the fault is over
 */
export async function underLoad(
  fleet: LoadedFleet,
  fault: (load: SteadyLoad) => Promise<unknown>,
): Promise<Phase> {
  const begunAt = new Date().toISOString();
  const { outcomes, endedAt, whole, residentBefore } = await play(fleet, fault);
  await Promise.all(fleet.replicas.map((replica) => replica.settled()));
  await quiet(fleet);

  const failed = outcomes.filter(({ end }) => end !== 'completed');
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

/** Keeps the load running through the fault, and until the last response. */
async function play(fleet: LoadedFleet, fault: (load: SteadyLoad) => Promise<unknown>) {
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

/** How many requests have succeeded since the last failed one, counting only those sent after `since`. */
function answeredInARow(outcomes: readonly LoadOutcome[], since: number): number {
  const later = outcomes.filter(({ startedAt }) => startedAt > since);
  const lastFailure = Math.max(
    since,
    ...later.flatMap(({ end, startedAt }) => (end === 'completed' ? [] : [startedAt])),
  );
  return later.filter(({ startedAt }) => startedAt > lastFailure).length;
}

/** Waits for what relays may still be sending to the upstream for clients that were refused. */
async function quiet({ upstream }: LoadedFleet): Promise<void> {
  await vi.waitFor(
    () => {
      expect(upstream.running.size).toBe(0);
      expect(performance.now() - upstream.lastActiveAt).toBeGreaterThan(QUIET_MS);
    },
    { timeout: QUIET_LIMIT_MS, interval: QUIET_MS / 5 },
  );
}

/** A dropped connection, a wrong response or a hang: no fault excuses these. */
function isOdd({ end }: LoadOutcome): boolean {
  return end === 'wrong' || end === 'hung' || end === 'dropped';
}

/** Refusals that state "no" although the request was executed, or that lack a verdict; HEAD cannot carry one. */
function falseVerdicts({ upstream }: LoadedFleet, failed: readonly LoadOutcome[]): LoadOutcome[] {
  return failed
    .filter(({ end, method }) => end === 'refused' && method !== 'HEAD')
    .filter(
      ({ id, forwarded }) =>
        forwarded === undefined || (forwarded === 'no' && upstream.executions(id) > 0),
    );
}

/** Requests that were executed too often, or that succeeded without having been executed. */
function doubled({ upstream, seen }: LoadedFleet, outcomes: readonly LoadOutcome[]): string[] {
  return outcomes.flatMap(({ id, method, end }) => {
    const executions = upstream.executions(id);
    const sent = seen?.count(id) ?? Infinity;
    const most = Math.min(SAFE.has(method) ? 2 : 1, sent);
    const isRight = executions <= most && (executions > 0 || end !== 'completed');
    return isRight ? [] : [`${method} ${id}: ${executions} times, ${sent} messages`];
  });
}

/** Forwarded messages, by session and sequence number: an inbound relay logs one line for each. */
export function exchangesOf({ inbound }: LoadedFleet): string[] {
  return inbound.flatMap(({ log }) =>
    log.flatMap(({ msg, role, exchange }) =>
      role === 'inbound' && (msg === 'request completed' || msg === 'response cut off')
        ? [String(exchange)]
        : [],
    ),
  );
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

/** How many requests ended in which way. */
function summaryOf(outcomes: readonly LoadOutcome[], recoveryMs: number): string {
  const counts = new Map<string, number>();
  for (const { method, end, status, code, forwarded } of outcomes) {
    const name =
      end === 'completed' ? end : `${method} ${[end, status, code, forwarded].join(' ').trim()}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const lines = [...counts].map(([name, count]) => `${count} ${name}`);
  return `${outcomes.length} requests, recovered after ${recoveryMs} ms: ${lines.join(', ')}`;
}

/** How many messages the inbound relays have refused since then, by reason. */
function reasonsOf({ inbound }: LoadedFleet, since: string): string[] {
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
