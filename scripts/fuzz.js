/**
 * `npm run fuzz`: fuzzes every decoder for 30 seconds, guided by coverage, starting from the corpus in test/fuzz/corpus.
 * Options:
 *   --seconds <n>   time for each decoder
 *   --target <name> fuzzes only that decoder
 *   --save          adds inputs that increased coverage to the corpus
 * `npm run fuzz:sockets`: sends 100,000 mutated requests to a running relay. Option:
 *   --requests <n>
 * `npm test` runs a few thousand of each.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    target: { type: 'string' },
    save: { type: 'boolean', default: false },
    sockets: { type: 'boolean', default: false },
    requests: { type: 'string', default: '100000' },
  },
});
const only = values.target === undefined ? [] : ['--testNamePattern', `'${values.target}'`];
const suiteArgs = values.sockets
  ? ['--project', 'faults', 'test/faults/fuzz-sockets.spec.ts']
  : ['--project', 'security', 'test/security/fuzz.spec.ts', ...only];
const settings = values.sockets
  ? { FUZZ_REQUESTS: values.requests }
  : { FUZZ_SECONDS: values.seconds, FUZZ_SAVE: values.save ? '1' : '0' };

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=verbose',
    '--disable-console-intercept',
    ...suiteArgs,
  ],
  { stdio: 'inherit', env: { ...process.env, ...settings } },
);
process.exitCode = status ?? 1;
