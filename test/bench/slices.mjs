/** Comparisons in one run: each chain in turn for a second, again and again, so that noise meets all of them. */
import { cpuSeconds, stolen } from './processes.mjs';
import { saturate } from './load.mjs';

const SLICE_SECONDS = 1;
/** A slice of which the hypervisor took more than this share tells nothing. */
const MAX_STEAL = 0.1;

const sorted = (values) => [...values].sort((one, other) => one - other);
export const quantile = (values, q) => {
  const inOrder = sorted(values);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(q * inOrder.length))];
};

async function slice(chain, load, seconds) {
  const before = { cpu: cpuSeconds(chain.pids), machine: stolen() };
  const { requests, perSecond, failures } = await saturate(chain, { ...load, seconds });
  const after = { cpu: cpuSeconds(chain.pids), machine: stolen() };
  if (failures > 0) throw new Error(`${chain.name}: ${failures} of ${requests} requests failed`);
  const steal =
    (after.machine.steal - before.machine.steal) / (after.machine.total - before.machine.total);
  return { perSecond, cpuMicros: ((after.cpu - before.cpu) * 1e6) / requests, steal };
}

/**
 * @returns for each chain the lower quartile of CPU time a request (microseconds over both hops), the upper quartile of
 *   requests a second, and the spread of the CPU time (third to first quartile)
 */
export async function compare(chains, load, { warmUpSeconds, slices }) {
  for (const chain of chains) await saturate(chain, { ...load, seconds: warmUpSeconds });
  const seen = new Map(chains.map(({ name }) => [name, []]));
  for (let round = 0; round < slices; round += 1) {
    for (const chain of chains) {
      seen.get(chain.name).push(await slice(chain, load, SLICE_SECONDS));
    }
  }
  return Object.fromEntries(
    [...seen].map(([name, all]) => {
      const calm = all.filter(({ steal }) => steal <= MAX_STEAL);
      const used = calm.length > 0 ? calm : all;
      const cpu = used.map(({ cpuMicros }) => cpuMicros);
      const rates = used.map(({ perSecond }) => perSecond);
      return [
        name,
        {
          cpuMicros: quantile(cpu, 0.25),
          perSecond: quantile(rates, 0.75),
          spread: quantile(cpu, 0.75) / quantile(cpu, 0.25) - 1,
          slices: used.length,
          dropped: all.length - used.length,
        },
      ];
    }),
  );
}
