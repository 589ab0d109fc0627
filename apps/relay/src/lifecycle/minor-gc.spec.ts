import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';

import { countReceived } from '@relay/http';
import { expect, it } from 'vitest';

import { collectGarbageWhileReceiving } from './minor-gc.js';

const MIB = 1024 * 1024;

it('collects the young generation once 4 MiB have been received, and not before', async () => {
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => {
    collections.push(...list.getEntries().filter(isForcedMinor));
  });
  observer.observe({ entryTypes: ['gc'] });
  collectGarbageWhileReceiving();

  const startMs = performance.now();
  countReceived(4 * MIB - 1);
  const completeMs = performance.now();
  countReceived(1);
  while (!collections.some(({ startTime }) => startTime >= completeMs)) {
    await new Promise(setImmediate);
  }

  observer.disconnect();
  const early = collections.filter(
    ({ startTime }) => startTime >= startMs && startTime < completeMs,
  );
  expect(early).toHaveLength(0);
});

function isForcedMinor(entry: PerformanceEntry): boolean {
  const { kind, flags = 0 } = (entry as unknown as { readonly detail: GcDetail }).detail;
  const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
  return kind === constants.NODE_PERFORMANCE_GC_MINOR && isForced;
}

/** What Node.js reports about a collection. */
interface GcDetail {
  readonly kind?: number;
  readonly flags?: number;
}
