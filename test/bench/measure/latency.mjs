/** Latency at a steady rate, far below what any chain can carry. */
import { Agent } from 'node:http';

import { atRate } from '../load/client.mjs';
import { observe } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

/** Of fewer samples less than ten lie beyond the highest percentile, which then says nothing. */
const ENOUGH_FOR_P999 = 10_000;

function summary(seen) {
  const rounds = undisturbed(seen).map(({ latencies }) => latencies);
  const all = rounds.flat();
  const medians = rounds.map((round) => quantile(round, 0.5));
  const tails = rounds.map((round) => quantile(round, 0.99));
  return {
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    p999: all.length >= ENOUGH_FOR_P999 ? quantile(all, 0.999) : null,
    samples: all.length,
    p50Spread: spread(medians),
    p99Spread: spread(tails),
    dropped: seen.length - rounds.length,
  };
}

/** Rounds of each chain in turn, after one that does not count; connections are kept between them. @returns ms */
export async function latencies(chains, { perSecond, seconds, rounds }) {
  const all = chains.map((chain) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 128 });
    return { chain, agent, seen: [] };
  });
  for (let round = 0; round <= rounds; round += 1) {
    for (const { chain, agent, seen } of all) {
      const { result, isCalm } = await observe(chain.pids, () =>
        atRate(chain, { perSecond, seconds }, agent),
      );
      if (round > 0) seen.push({ latencies: result, isCalm });
    }
  }
  for (const { agent } of all) agent.destroy();
  return Object.fromEntries(all.map(({ chain, seen }) => [chain.name, summary(seen)]));
}
