import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';

import { expect, it } from 'vitest';

import { countReceived } from './bulk-garbage.js';

const MIB = 1024 * 1024;

it('has what is young collected once 4 MiB have come in, and not before', async () => {
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => {
    collections.push(...list.getEntries().filter(isAskedForYoung));
  });
  observer.observe({ entryTypes: ['gc'] });
  // Whatever other tests have counted, the first of these begins anew.
  countReceived(4 * MIB);

  const startMs = performance.now();
  countReceived(4 * MIB - 1);
  const wholeMs = performance.now();
  countReceived(1);
  while (!collections.some(({ startTime }) => startTime >= wholeMs)) {
    await new Promise(setImmediate);
  }

  observer.disconnect();
  const early = collections.filter(({ startTime }) => startTime >= startMs && startTime < wholeMs);
  expect(early).toHaveLength(0);
});

function isAskedForYoung(entry: PerformanceEntry): boolean {
  const { kind, flags = 0 } = (entry as unknown as { readonly detail: GcDetail }).detail;
  const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
  return kind === constants.NODE_PERFORMANCE_GC_MINOR && isForced;
}

/** What Node.js tells of a collection. */
interface GcDetail {
  readonly kind?: number;
  readonly flags?: number;
}
