/** What one relay takes: memory and descriptors by the kernel's count, and the JavaScript heap by its own metrics. */
import { readdirSync } from 'node:fs';

import { getText } from '../load/client.mjs';
import { residentMib } from '../processes.mjs';

/**
 * @typedef {object} Figures
 * @property {number} rssMib
 * @property {number} heapMib - the used part of V8's heap
 * @property {number} descriptors
 */

const MIB = 2 ** 20;

/**
 * @param {{ pid: number, adminPort: number }} relay
 * @returns {Promise<Figures>}
 */
export async function figuresOf({ pid, adminPort }) {
  const metrics = (await getText(adminPort, '/metrics')) ?? '';
  const [, heapBytes] = /^nodejs_heap_size_used_bytes (\S+)$/m.exec(metrics) ?? [];
  if (heapBytes === undefined) {
    throw new Error(`port ${adminPort} has no metric of the heap`);
  }
  return {
    rssMib: residentMib([pid]),
    heapMib: Number(heapBytes) / MIB,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
