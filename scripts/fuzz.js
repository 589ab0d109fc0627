import { spawnSync } from 'node:child_process';
import { readOptions } from '../bin/arguments.js';

const values = readOptions(
  `Usage: npm run fuzz -- [options]
       npm run fuzz:sockets -- [--requests <n>]

Fuzzes every decoder, guided by coverage, starting from the corpus in test/fuzz/corpus; or a running relay, with
mutated requests. npm test runs a few thousand of each.

  --seconds <n>    time for each decoder (default: 30)
  --target <name>  only this decoder
  --save           adds inputs that increased coverage to the corpus
  --requests <n>   requests to the relay (default: 100000)`,
  {
    seconds: { type: 'string', default: '30' },
    target: { type: 'string' },
    save: { type: 'boolean', default: false },
    sockets: { type: 'boolean', default: false },
    requests: { type: 'string', default: '100000' },
  },
);
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
