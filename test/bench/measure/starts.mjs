/** How long the start of a process takes until it is ready, and how long a pairing takes. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { UPSTREAM_PORT } from '../chains/index.mjs';
import { clientHeaders, startRelay } from '../chains/relays.mjs';
import { get, getText } from '../load/client.mjs';
import { listening, stop } from '../processes.mjs';
import { quantile } from './statistics.mjs';

const PORT = 17_900;
const PEER_PORT = 17_901;
const ADMIN_PORT = 17_902;
const STARTS = 5;
const PAIRINGS = 20;
const SECONDS_SUM = /^mte_relay_pairing_duration_seconds_sum (\S+)$/m;

/** The median time from the start of the process to the first 200 of /health/ready. */
export async function coldStartMs() {
  const times = [];
  for (let run = 0; run < STARTS; run += 1) {
    const startMs = performance.now();
    const relay = startRelay(PORT, UPSTREAM_PORT);
    await listening(PORT);
    while ((await getText(PORT, '/health/ready')) === undefined) {
      await delay(5);
    }
    times.push(performance.now() - startMs);
    await stop(relay);
  }
  return quantile(times, 0.5);
}

/** The time that all pairings so far have taken. */
async function pairingSumMs() {
  const metrics = await getText(ADMIN_PORT, '/metrics');
  const seconds = SECONDS_SUM.exec(metrics ?? '')?.[1];
  if (seconds === undefined) {
    throw new Error('the metrics do not contain the time of pairings');
  }
  return Number(seconds) * 1000;
}

/**
 * Makes pairings one after another, each with another name of one relay. The relay itself measures them, in whole
 * milliseconds.
 *
 * @returns the first pairing of two new processes, and the median of the later ones
 */
export async function pairingMs() {
  const relays = [
    startRelay(PORT, UPSTREAM_PORT, { ADMIN_PORT: String(ADMIN_PORT) }),
    startRelay(PEER_PORT, UPSTREAM_PORT),
  ];
  await Promise.all([PORT, PEER_PORT, ADMIN_PORT].map(listening));
  const times = [];
  for (let peer = 1; peer <= PAIRINGS + 1; peer += 1) {
    const before = await pairingSumMs();
    const headers = {
      ...clientHeaders(PEER_PORT),
      'x-mte-upstream': `http://127.0.0.${peer}:${PEER_PORT}`,
    };
    await get({ name: 'pairing', port: PORT, headers }, '/1k');
    times.push((await pairingSumMs()) - before);
  }
  await Promise.all(relays.map(stop));
  const [first = NaN, ...later] = times;
  return { first, later: quantile(later, 0.5) };
}
