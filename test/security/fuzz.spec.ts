import { describe, expect, it } from 'vitest';

import { BlockCoverage } from '../fuzz/block-coverage.js';
import { saveSeeds } from '../fuzz/corpus.js';
import { fuzz } from '../fuzz/fuzzer.js';
import { TARGETS } from '../fuzz/targets.js';
import { isSlow } from '../support/lifecycle/property.js';

/** `npm run fuzz` sets FUZZ_SECONDS, and with `--save` FUZZ_SAVE as well. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? (isSlow ? '20' : '0'));
const saves = process.env['FUZZ_SAVE'] === '1';

const isLong = seconds > 0;
const budget = isLong
  ? { executions: Infinity, ms: seconds * 1000, coverage: new BlockCoverage() }
  : { executions: 3_000, ms: 5_000 };
/** Every run of the gate has the same inputs, and every longer run has others. */
const seed = isLong ? Date.now() % 2 ** 31 : 1;

describe('#29 #33 a decoder of arbitrary bytes', () => {
  it.each(TARGETS)(
    '$name: either refuses them with an error of its own or returns a valid value',
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
