import { expect } from 'vitest';

import type { ProcessTunnel } from './process-tunnel.js';
import { inMib } from './process-memory.js';
import { isSlow } from './property.js';

const INTERVAL_MS = 20;
/** So many at least, before and beside an attack, so that the figures mean something. */
const MIN_REQUESTS = 25;
/**
 * What honest clients put up with while somebody attacks, on a machine that the attacker shares. The long runs take all
 * of its time for themselves: there it shows only that nobody is forgotten.
 */
const MAX_WAIT_MS = isSlow ? 60_000 : 10_000;
const BODY = Buffer.alloc(1_000, 'x');

/**
 * Honest clients send requests through the tunnel before an attack and for as long as it lasts. All of them have to be
 * answered; how fast, and what the attack cost in memory, is printed in one line for people.
 *
 * @param maxGrowthBytes - what each relay may grow by
 * @returns what the attack returns
 */
export async function beside<T>(
  tunnel: ProcessTunnel,
  name: string,
  maxGrowthBytes: number,
  attack: () => Promise<T>,
): Promise<T> {
  const relays = [tunnel.outbound, tunnel.inbound];
  const before = await honest(tunnel, Promise.resolve());
  const residentBefore = relays.map((relay) => relay.rss());
  const peaks = [...residentBefore];
  const looks = setInterval(() => {
    relays.forEach((relay, at) => {
      peaks[at] = Math.max(peaks[at] ?? 0, relay.rss());
    });
  }, INTERVAL_MS);
  const attacking = attack();
  // Seen below; an attack that fails while honest clients are still at it is no unhandled rejection.
  attacking.catch(() => undefined);
  const during = await honest(tunnel, attacking).finally(() => {
    clearInterval(looks);
  });
  const result = await attacking;

  const growth = peaks.map((peak, at) => peak - (residentBefore[at] ?? 0));
  const figures =
    `${name}: honest requests ${summary(before)} before, ${summary(during)} beside; ` +
    `memory +${inMib(growth[0] ?? 0)} outbound (${inMib(peaks[0] ?? 0)}), ` +
    `+${inMib(growth[1] ?? 0)} inbound (${inMib(peaks[1] ?? 0)})`;
  console.info(figures);
  expect(Math.max(...during), figures).toBeLessThan(MAX_WAIT_MS);
  expect(Math.max(...growth), figures).toBeLessThan(maxGrowthBytes);
  expect(relays.map((relay) => relay.isRunning())).toEqual([true, true]);
  return result;
}

/** How long each request took, in milliseconds. */
async function honest(tunnel: ProcessTunnel, until: Promise<unknown>): Promise<number[]> {
  const requests: Promise<number>[] = [];
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  until.then(over, over);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      requests.push(timed(tunnel));
      if (isOver && requests.length >= MIN_REQUESTS) {
        clearInterval(timer);
        resolve();
      }
    }, INTERVAL_MS);
  });
  return Promise.all(requests);
}

async function timed(tunnel: ProcessTunnel): Promise<number> {
  const startedAt = performance.now();
  const { status, body } = await tunnel.send({ method: 'POST', path: '/honest', body: BODY });
  expect(status, body.toString('latin1', 0, 300)).toBe(200);
  expect(body).toHaveLength(BODY.length);
  return performance.now() - startedAt;
}

function summary(latencies: readonly number[]): string {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `${sorted.length} × p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`;
}
