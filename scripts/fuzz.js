/**
 * `npm run fuzz`: fuzzes every decoder for 30 seconds, guided by coverage, from the corpus in test/fuzz/corpus. Arguments:
 *   --seconds <n>   for each decoder
 *   --target <name> that decoder alone
 *   --save          adds inputs that reached something new to the corpus
 * `npm run fuzz:sockets`: changed requests to a relay that runs, 100,000 of them. Argument:
 *   --requests <n>
 * The gate does a few thousand of both.
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
const suite = values.sockets
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
    ...suite,
  ],
  { stdio: 'inherit', env: { ...process.env, ...settings } },
);
process.exitCode = status ?? 1;
