import { describe, expect, it } from 'vitest';

import { BlockCoverage } from '../fuzz/block-coverage.js';
import { saveSeeds } from '../fuzz/corpus.js';
import { fuzz } from '../fuzz/fuzzer.js';
import { TARGETS } from '../fuzz/targets.js';
import { isSlow } from '../support/property.js';

/** `npm run fuzz` sets the first, and with `--save` the second. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? (isSlow ? '20' : '0'));
const saves = process.env['FUZZ_SAVE'] === '1';

const isLong = seconds > 0;
const budget = isLong
  ? { executions: Infinity, ms: seconds * 1000, coverage: new BlockCoverage() }
  : { executions: 3_000, ms: 5_000 };
/** The same inputs in every run of the gate, and others in every longer one. */
const seed = isLong ? Date.now() % 2 ** 31 : 1;

describe('#29 #33 whatever bytes come, to a decoder', () => {
  it.each(TARGETS)(
    '$name: they are refused by an error of its own, or mean what they say',
    { timeout: (seconds + 60) * 1000 },
    (target) => {
      const { executions, blocks, found } = fuzz(target, budget, seed);

      if (isLong) {
        console.log(
          `${target.name}: ${executions} inputs, ${blocks} blocks, ${found.length} new (seed ${seed})`,
        );
      }
      expect(executions).toBeGreaterThan(0);
      expect(blocks > 0).toBe(isLong);
      if (saves) {
        saveSeeds(target.name, found);
      }
    },
  );
});
