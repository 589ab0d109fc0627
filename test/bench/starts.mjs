/** How long beginnings take: a process until it is ready, and a pairing. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { UPSTREAM_PORT } from './chains/index.mjs';
import { startRelay } from './chains/relays.mjs';
import { get } from './load.mjs';
import { listening, stop } from './processes.mjs';
import { quantile } from './slices.mjs';

const PORT = 17_900;
const RUNS = 5;

/** From the start of the process to the first 200 of /health/ready: median. */
export async function coldStartMs() {
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    const startMs = performance.now();
    const relay = startRelay(PORT, UPSTREAM_PORT);
    await listening(PORT);
    while ((await get(PORT, '/health/ready')) !== 200) await delay(5);
    times.push(performance.now() - startMs);
    stop(relay);
    await new Promise((resolve) => relay.once('close', resolve));
  }
  return quantile(times, 0.5);
}

/** The first request to a relay that another has not paired with: median. */
export async function pairingMs(chain) {
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    const port = PORT + 1 + run;
    const relay = startRelay(port, UPSTREAM_PORT);
    await listening(port);
    const startMs = performance.now();
    const status = await get(chain.port, '/1k', {
      ...chain.headers,
      'x-mte-upstream': `http://127.0.0.1:${port}`,
    });
    if (status !== 200) throw new Error(`the first request was answered with ${status}`);
    times.push(performance.now() - startMs);
    stop(relay);
  }
  return quantile(times, 0.5);
}
