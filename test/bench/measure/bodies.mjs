/** Bulk data in both directions: how fast it is transferred, and what CPU time each MiB of it costs. */
import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';

import { download, upload } from '../load/client.mjs';
import { observe } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

/** @import { Chain } from '../chains/index.mjs' */

/** @typedef {(chain: Chain, bytes: number, agent: Agent) => Promise<void>} Transfer */
/** @typedef {{ down: Transfer, up: Transfer }} BothWays */

/** @type {BothWays} */
const BODIES = { down: download, up: upload };

/**
 * @typedef {object} TransferPlan
 * @property {number} bytes - of each body
 * @property {number} count - of bodies
 * @property {number} concurrency
 */

/** @typedef {TransferPlan & { warmUpSeconds: number, rounds: number }} BodiesPlan */

/**
 * What one round of transfers in one direction gave.
 *
 * @typedef {object} TransferRound
 * @property {number} mibPerSecond
 * @property {number} cpuMillisPerMib
 * @property {boolean} isCalm
 */

/**
 * @typedef {object} TransferSummary
 * @property {number} mibPerSecond - the upper quartile
 * @property {number} cpuMillisPerMib - the lower quartile
 * @property {number} spread - of the speed
 * @property {number} dropped - the number of disturbed rounds
 */

/** @typedef {{ down: TransferSummary, up: TransferSummary }} BodiesSummary */

const MIB = 2 ** 20;

/**
 * Makes a number of transfers, several of them at the same time.
 *
 * @param {Chain} chain
 * @param {Transfer} transfer
 * @param {TransferPlan} plan
 * @returns {Promise<number>} seconds
 */
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

/**
 * @param {Chain} chain
 * @param {Transfer} transfer
 * @param {TransferPlan} plan
 * @returns {Promise<TransferRound>}
 */
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

/**
 * @param {TransferRound[]} all
 * @returns {TransferSummary}
 */
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

/**
 * Makes transfers in both directions for about a second. They do not count.
 *
 * @param {Chain} chain
 * @param {BothWays} bothWays
 * @param {TransferPlan} plan
 */
async function warmUp(chain, bothWays, plan) {
  const endsMs = performance.now() + 1000;
  while (performance.now() < endsMs) {
    await transfers(chain, bothWays.down, plan);
    await transfers(chain, bothWays.up, plan);
  }
}

/**
 * Measures all chains and both directions in turn, after a warm-up in turn.
 *
 * @param {Chain[]} chains
 * @param {BodiesPlan} plan
 * @param {BothWays} bothWays - bodies of requests and responses, unless something else is given
 * @returns {Promise<Record<string, BodiesSummary>>} by chain
 */
export async function bodies(chains, { warmUpSeconds, rounds, ...plan }, bothWays = BODIES) {
  const seen = chains.map((chain) => ({
    chain,
    down: /** @type {TransferRound[]} */ ([]),
    up: /** @type {TransferRound[]} */ ([]),
  }));
  for (let second = 0; second < warmUpSeconds; second += 1) {
    for (const { chain } of seen) {
      await warmUp(chain, bothWays, plan);
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { chain, down, up } of seen) {
      down.push(await measure(chain, bothWays.down, plan));
      up.push(await measure(chain, bothWays.up, plan));
    }
  }
  return Object.fromEntries(
    seen.map(({ chain, down, up }) => [chain.name, { down: summary(down), up: summary(up) }]),
  );
}
