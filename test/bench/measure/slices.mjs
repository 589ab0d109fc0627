/** Comparisons in one run: each chain in turn for a second, again and again, so that noise meets all of them. */
import { saturate } from '../load/wrk.mjs';
import { observe, residentMib } from '../processes.mjs';
import { quantile, spread, undisturbed } from './statistics.mjs';

const SLICE_SECONDS = 1;

async function slice(chain, load) {
  const { result, hopSeconds, isCalm } = await observe(chain.pids, () =>
    saturate(chain, { ...load, seconds: SLICE_SECONDS }),
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

/** Of CPU time the lower quartile, of requests a second the upper: what the code costs, less of what disturbed it. */
function summary(all) {
  const used = undisturbed(all);
  const each = (property) => used.map((seen) => seen[property]);
  return {
    cpuMicros: quantile(each('cpuMicros'), 0.25),
    hopMicros: used[0].hopMicros.map((_, hop) =>
      quantile(
        used.map(({ hopMicros }) => hopMicros[hop]),
        0.25,
      ),
    ),
    perSecond: quantile(each('perSecond'), 0.75),
    spread: used[0].cpuMicros > 0 ? spread(each('cpuMicros')) : spread(each('perSecond')),
    residentMib: quantile(each('residentMib'), 0.5),
    slices: used.length,
    dropped: all.length - used.length,
  };
}

/** Each chain in turn, as in the measurement that follows. */
export async function warmUp(chains, load, seconds) {
  for (let second = 0; second < seconds; second += 1) {
    for (const chain of chains) await saturate(chain, { ...load, seconds: 1 });
  }
}

/**
 * Warm-up and measurement alternate alike: code that V8 has compiled is dropped again where a chain stands still for
 * long. Slices that the hypervisor disturbed are made up for by others, at most half as many again.
 *
 * @returns for each chain CPU time a request (microseconds over both hops, and of each), requests a second, the spread of
 *   the CPU time, and the resident memory of the larger hop
 */
export async function compare(chains, load, { warmUpSeconds, slices }) {
  await warmUp(chains, load, warmUpSeconds);
  const seen = new Map(chains.map((chain) => [chain, []]));
  for (let round = 0; round < 1.5 * slices; round += 1) {
    for (const [chain, all] of seen) {
      const calm = all.filter(({ isCalm }) => isCalm);
      if (calm.length < slices) all.push(await slice(chain, load));
    }
  }
  return Object.fromEntries([...seen].map(([{ name }, all]) => [name, summary(all)]));
}
