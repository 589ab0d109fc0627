/** Latency at a steady rate, far below what any chain can carry. */
import { Agent } from 'node:http';

import { atRate } from '../load/client.mjs';
import { observe } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

/** @import { Chain } from '../chains/index.mjs' */

/** @typedef {{ perSecond: number, seconds: number, rounds: number }} LatencyPlan */
/** @typedef {(chain: Chain, rate: { perSecond: number, seconds: number }, agent: Agent) => Promise<number[]>} AtRate */

/**
 * What one round gave.
 *
 * @typedef {object} LatencyRound
 * @property {number[]} latencies - in ms
 * @property {boolean} isCalm
 */

/**
 * Latencies in ms.
 *
 * @typedef {object} LatencySummary
 * @property {number} p50
 * @property {number} p99
 * @property {number | null} p999
 * @property {number} samples
 * @property {number} p50Spread
 * @property {number} p99Spread
 * @property {number} dropped - the number of disturbed rounds
 */

/** With fewer samples, less than ten are beyond the highest percentile, which then means nothing. */
const ENOUGH_FOR_P999 = 10_000;

/**
 * @param {LatencyRound[]} seen
 * @returns {LatencySummary}
 */
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

/**
 * Measures rounds of all chains in turn, after one that does not count. Connections are kept between the rounds.
 *
 * @param {Chain[]} chains
 * @param {LatencyPlan} plan
 * @param {AtRate} send - GETs of 1 KiB, unless something else is given
 * @returns {Promise<Record<string, LatencySummary>>} by chain
 */
export async function latencies(chains, { perSecond, seconds, rounds }, send = atRate) {
  const all = chains.map((chain) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 128 });
    return { chain, agent, seen: /** @type {LatencyRound[]} */ ([]) };
  });
  for (let round = 0; round <= rounds; round += 1) {
    for (const { chain, agent, seen } of all) {
      const { result, isCalm } = await observe(chain.pids, () =>
        send(chain, { perSecond, seconds }, agent),
      );
      if (round > 0) {
        seen.push({ latencies: result, isCalm });
      }
    }
  }
  for (const { agent } of all) {
    agent.destroy();
  }
  return Object.fromEntries(all.map(({ chain, seen }) => [chain.name, summary(seen)]));
}
