/** What event streams that stay open and silent take of memory. */
import { ALL, SEALED, startChain } from '../chains/index.mjs';
import { openStream } from '../load/client.mjs';
import { saturate } from '../load/wrk.mjs';
import { residentMib, stop } from '../processes.mjs';
import { setTimeout as delay } from 'node:timers/promises';

const WARM_UP_SECONDS = 3;
const SETTLE_MS = 2000;
const AT_ONCE = 20;

/** Two relays of their own, so that nothing measured before has left free memory in them. @returns MiB of the larger */
export async function streams(count, connections) {
  const chain = await startChain(SEALED, ALL.length);
  await saturate(chain, { connections, seconds: WARM_UP_SECONDS });
  await delay(SETTLE_MS);
  const before = residentMib(chain.pids);
  const closers = [];
  while (closers.length < count) {
    const more = Math.min(AT_ONCE, count - closers.length);
    closers.push(...(await Promise.all(Array.from({ length: more }, () => openStream(chain)))));
  }
  await delay(SETTLE_MS);
  const after = residentMib(chain.pids);
  for (const close of closers) close();
  await Promise.all(chain.children.map(stop));
  return { count, before, after, added: after - before };
}
