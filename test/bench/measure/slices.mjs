/** Comparisons in one run: each chain in turn for a second, over and over, so that noise affects all of them. */
import { saturate } from '../load/wrk.mjs';
import { observe, residentMib } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

/** @import { Chain } from '../chains/index.mjs' */
/** @import { Load } from '../load/wrk.mjs' */

/**
 * Loads a chain with as much as it can carry.
 *
 * @typedef {(chain: Chain, load: Load & { seconds: number }) => Promise<{ requests: number, perSecond: number }>} Saturate
 */

/** @typedef {{ warmUpSeconds: number, slices: number }} SlicesPlan */

/**
 * What one second of one chain gave.
 *
 * @typedef {object} Slice
 * @property {number} perSecond - requests
 * @property {number[]} hopMicros - CPU time per request, for each hop
 * @property {number} cpuMicros - CPU time per request, of both hops
 * @property {number} residentMib - the memory of the larger hop
 * @property {boolean} isCalm
 */

/**
 * @typedef {object} SliceSummary
 * @property {number} cpuMicros - the lower quartile
 * @property {number[]} hopMicros - the lower quartile, for each hop
 * @property {number} perSecond - the upper quartile
 * @property {number} spread - of the CPU time, or of the requests per second if the chain has no hops
 * @property {number} residentMib - the median
 * @property {number} slices - the number of undisturbed slices
 * @property {number} dropped - the number of disturbed slices
 */

const SLICE_SECONDS = 1;

/**
 * @param {Chain} chain
 * @param {Load} load
 * @param {Saturate} loadChain
 * @returns {Promise<Slice>}
 */
async function slice(chain, load, loadChain) {
  const { result, hopSeconds, isCalm } = await observe(chain.pids, () =>
    loadChain(chain, { ...load, seconds: SLICE_SECONDS }),
  );
  const hopMicros = hopSeconds.map((seconds) => (seconds * 1e6) / result.requests);
  return {
    perSecond: result.perSecond,
    hopMicros,
    cpuMicros: hopMicros.reduce((sum, micros) => sum + micros, 0),
    residentMib: residentMib(chain.pids),
    isCalm,
  };
}

/**
 * Takes the lower quartile of CPU time and the upper of requests per second: they show what the code costs, with less
 * of what disturbed it.
 *
 * @param {Slice[]} all
 * @returns {SliceSummary}
 */
function summary(all) {
  const used = undisturbed(all);
  /** @param {'cpuMicros' | 'perSecond' | 'residentMib'} property */
  const each = (property) => used.map((seen) => seen[property]);
  const cpuMicros = each('cpuMicros');
  return {
    cpuMicros: quantile(cpuMicros, 0.25),
    hopMicros: (used[0]?.hopMicros ?? []).map((_, hop) =>
      quantile(
        used.map(({ hopMicros }) => hopMicros[hop] ?? NaN),
        0.25,
      ),
    ),
    perSecond: quantile(each('perSecond'), 0.75),
    spread: spread((cpuMicros[0] ?? 0) > 0 ? cpuMicros : each('perSecond')),
    residentMib: quantile(each('residentMib'), 0.5),
    slices: used.length,
    dropped: all.length - used.length,
  };
}

/**
 * Loads the chains in turn, as the measurement that follows does.
 *
 * @param {Chain[]} chains
 * @param {Load} load
 * @param {number} seconds
 * @param {Saturate} loadChain
 */
export async function warmUp(chains, load, seconds, loadChain = saturate) {
  for (let second = 0; second < seconds; second += 1) {
    for (const chain of chains) {
      await loadChain(chain, { ...load, seconds: 1 });
    }
  }
}

/**
 * Measures the chains in turn, after a warm-up in turn: V8 drops compiled code of a chain that is idle for long. Slices
 * that the hypervisor disturbed are replaced by others, but by no more than half the planned number.
 *
 * @param {Chain[]} chains
 * @param {Load} load
 * @param {SlicesPlan} plan
 * @param {Saturate} loadChain - with requests, unless another load is given
 * @returns {Promise<Record<string, SliceSummary>>} by chain
 */
export async function compare(chains, load, { warmUpSeconds, slices }, loadChain = saturate) {
  await warmUp(chains, load, warmUpSeconds, loadChain);
  const seen = chains.map((chain) => ({ chain, all: /** @type {Slice[]} */ ([]) }));
  for (let round = 0; round < 1.5 * slices; round += 1) {
    for (const { chain, all } of seen) {
      const calm = all.filter(({ isCalm }) => isCalm);
      if (calm.length < slices) {
        all.push(await slice(chain, load, loadChain));
      }
    }
  }
  return Object.fromEntries(seen.map(({ chain, all }) => [chain.name, summary(all)]));
}
