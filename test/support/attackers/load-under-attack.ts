import { expect } from 'vitest';

import type { ProcessTunnel } from '../tunnels/process-tunnel.js';
import { inMib } from '../processes/process-memory.js';
import { isSlow } from '../lifecycle/property.js';

const INTERVAL_MS = 20;
/** The least number of requests before and during an attack, so that the percentiles mean something. */
const MIN_REQUESTS = 25;
/**
 * The longest that a legitimate client may wait during an attack, on a machine that it shares with the attacker. The
 * slow runs use all of the machine's time: there the limit only shows that no request is forgotten.
 */
const MAX_WAIT_MS = isSlow ? 60_000 : 40_000;
const BODY = Buffer.alloc(1_000, 'x');

/**
 * Runs an attack while legitimate clients send requests through the tunnel. They begin before the attack and continue
 * until it ends, and every request must succeed. Prints one line with their latencies and the memory that the attack
 * took.
 *
 * @param maxGrowthBytes - how much resident memory each relay may gain
 * @returns the result of the attack
 */
export async function underAttack<T>(
  tunnel: ProcessTunnel,
  name: string,
  maxGrowthBytes: number,
  attack: () => Promise<T>,
): Promise<T> {
  const relays = [tunnel.outbound, tunnel.inbound];
  const before = await sendUntil(tunnel, Promise.resolve());
  const residentBefore = relays.map((relay) => relay.rss());
  const peaks = [...residentBefore];
  const sampling = setInterval(() => {
    relays.forEach((relay, at) => {
      peaks[at] = Math.max(peaks[at] ?? 0, relay.rss());
    });
  }, INTERVAL_MS);
  const attacking = attack();
  // Awaited below; until then, an attack that fails must not count as an unhandled rejection.
  attacking.catch(() => undefined);
  const during = await sendUntil(tunnel, attacking).finally(() => {
    clearInterval(sampling);
  });
  const result = await attacking;

  const growth = peaks.map((peak, at) => peak - (residentBefore[at] ?? 0));
  const figures =
    `${name}: legitimate requests ${summary(before)} before, ${summary(during)} during the attack; ` +
    `memory +${inMib(growth[0] ?? 0)} outbound (${inMib(peaks[0] ?? 0)}), ` +
    `+${inMib(growth[1] ?? 0)} inbound (${inMib(peaks[1] ?? 0)})`;
  console.info(figures);
  expect(Math.max(...during), figures).toBeLessThan(MAX_WAIT_MS);
  expect(Math.max(...growth), figures).toBeLessThan(maxGrowthBytes);
  expect(relays.map((relay) => relay.isRunning())).toEqual([true, true]);
  return result;
}

/** Sends legitimate requests until `until` settles. @returns how long each request took, in milliseconds */
async function sendUntil(tunnel: ProcessTunnel, until: Promise<unknown>): Promise<number[]> {
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
  const { status, body } = await tunnel.send({ method: 'POST', path: '/legitimate', body: BODY });
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
