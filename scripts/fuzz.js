/**
 * `npm run fuzz`: fuzzes every decoder for 30 seconds, guided by coverage, from the corpus in test/fuzz/corpus. Arguments:
 *   --seconds <n>   for each decoder
 *   --target <name> that decoder alone
 *   --save          adds inputs that reached something new to the corpus
 * The gate runs the same decoders over a few thousand inputs.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    target: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});
const only = values.target === undefined ? [] : ['--testNamePattern', `'${values.target}'`];

const { status } = spawnSync(
  process.execPath,
  [
    ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'security'],
    ...['--disable-console-intercept', 'test/security/fuzz.spec.ts', ...only],
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SAVE: values.save ? '1' : '0' },
  },
);
process.exitCode = status ?? 1;
