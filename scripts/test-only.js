import { offerHelp } from '../bin/arguments.js';
import { ensureRedis, runSuites } from './suites.js';

offerHelp(`Usage: npm run test:only -- [arguments of vitest]

Runs the suites without the rest of the gate.

  --project <name>  only one suite: unit, integration, e2e, channels (those that hold for
                    both ways between the relays, over channels), faults or security
  <path>            only the test files whose path contains this text
  -t <text>         only the tests whose title contains this text`);

const passed = ensureRedis() && runSuites({ name: 'suites', args: process.argv.slice(2) });
process.exitCode = passed ? 0 : 1;
