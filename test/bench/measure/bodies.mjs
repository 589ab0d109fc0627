/** Bodies of one size, down and up: how fast they go through, and what a MiB of them costs. */
import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';

import { download, upload } from '../load/client.mjs';
import { observe } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

const MIB = 2 ** 20;
const DIRECTIONS = { down: download, up: upload };

/** So many transfers, so many of them at once. */
async function transfers(chain, transfer, { bytes, count, concurrency }) {
  const agent = new Agent({ keepAlive: true });
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await transfer(chain, bytes, agent);
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  agent.destroy();
  return (performance.now() - startMs) / 1000;
}

async function measure(chain, transfer, plan) {
  const {
    result: seconds,
    hopSeconds,
    isCalm,
  } = await observe(chain.pids, () => transfers(chain, transfer, plan));
  const mib = (plan.bytes * plan.count) / MIB;
  const cpuSeconds = hopSeconds.reduce((sum, hop) => sum + hop, 0);
  return { mibPerSecond: mib / seconds, cpuMillisPerMib: (cpuSeconds * 1000) / mib, isCalm };
}

function summary(all) {
  const used = undisturbed(all);
  const speeds = used.map(({ mibPerSecond }) => mibPerSecond);
  return {
    mibPerSecond: quantile(speeds, 0.75),
    cpuMillisPerMib: quantile(
      used.map(({ cpuMillisPerMib }) => cpuMillisPerMib),
      0.25,
    ),
    spread: spread(speeds),
    dropped: all.length - used.length,
  };
}

/** Transfers in both directions for about a second, which do not count. */
async function warmUp(chain, plan) {
  const endsMs = performance.now() + 1000;
  while (performance.now() < endsMs) {
    for (const transfer of Object.values(DIRECTIONS)) await transfers(chain, transfer, plan);
  }
}

/** Each chain and direction in turn, warm-up and all. */
export async function bodies(chains, { warmUpSeconds, rounds, ...plan }) {
  const seen = chains.map((chain) => ({ chain, down: [], up: [] }));
  for (let second = 0; second < warmUpSeconds; second += 1) {
    for (const { chain } of seen) await warmUp(chain, plan);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { chain, ...directions } of seen) {
      for (const [direction, all] of Object.entries(directions)) {
        all.push(await measure(chain, DIRECTIONS[direction], plan));
      }
    }
  }
  return Object.fromEntries(
    seen.map(({ chain, down, up }) => [chain.name, { down: summary(down), up: summary(up) }]),
  );
}
