/** How much memory event streams need that stay open and silent. */
import { setTimeout as delay } from 'node:timers/promises';

import { ALL, CHANNELS, startChain } from '../chains/index.mjs';
import { openStream } from '../load/client.mjs';
import { saturate } from '../load/wrk.mjs';
import { residentMib, stop } from '../processes.mjs';

const WARM_UP_SECONDS = 3;
const SETTLE_MS = 2000;
const CONCURRENCY = 20;

/**
 * Measures two new relays, because the memory of others may have room that earlier measurements have freed.
 *
 * @param {number} count - of event streams
 * @param {number} connections - of the load before
 * @returns the memory of the larger relay in MiB
 */
export async function streams(count, connections) {
  const chain = await startChain(CHANNELS, ALL.length);
  await saturate(chain, { connections, seconds: WARM_UP_SECONDS });
  await delay(SETTLE_MS);
  const before = residentMib(chain.pids);
  const closers = [];
  while (closers.length < count) {
    const more = Math.min(CONCURRENCY, count - closers.length);
    closers.push(...(await Promise.all(Array.from({ length: more }, () => openStream(chain)))));
  }
  await delay(SETTLE_MS);
  const after = residentMib(chain.pids);
  for (const close of closers) {
    close();
  }
  await Promise.all(chain.children.map(stop));
  return { count, before, after, added: after - before };
}
