import { spawnSync } from 'node:child_process';
import { readOptions } from '../bin/arguments.js';
import { clearResults, readCounts, recordCounts } from './results.js';
import { ensureRedis, runSuites } from './suites.js';

readOptions(
  `Usage: npm test

Runs the whole gate: types, lint, format, architecture, dead code, all suites, the build and one start of it. It takes
about 25 minutes on two cores. Every check runs even if an earlier one failed; the last line lists those that failed.
As root on Debian or Ubuntu it installs redis-server and other programs that tests run, such as nginx, with apt-get;
elsewhere it says what is missing.`,
  {},
);

/**
 * A name, and a function that returns true if the check passes.
 *
 * @typedef {[name: string, check: () => boolean]} Check
 */

/** @param {string} name */
const npmScript = (name) => () =>
  spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' }).status === 0;

/** @param {string} file */
const nodeScript = (file) => () =>
  spawnSync(process.execPath, [file], { stdio: 'inherit' }).status === 0;

/** @type {Check[]} */
const checks = [
  ['types', npmScript('typecheck')],
  ['lint', npmScript('lint')],
  ['format', npmScript('format:check')],
  ['architecture', npmScript('arch')],
  ['dead code', npmScript('deadcode')],
  ['redis-server', ensureRedis],
];
/** @type {Check[]} */
const finalChecks = [
  ['build', npmScript('build')],
  ['built service', nodeScript('scripts/check-built-service.js')],
];

/** @param {Check} check */
function run([name, check]) {
  console.log(`\n── ${name}`);
  const passed = check();
  recordCounts(name, passed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
  return passed;
}

clearResults();
const passedBefore = checks.map(run).every(Boolean);
console.log('\n── suites');
const suitesPassed = runSuites({ name: 'suites' });
const passedAfter = finalChecks.map(run).every(Boolean);

const failures = readCounts().filter(({ failed }) => failed > 0);
const summary = failures.map(({ name, failed }) => `${name} (${failed})`).join(', ');
console.log(summary === '' ? '\nEverything passed.' : `\nFailed: ${summary}`);
process.exitCode = passedBefore && suitesPassed && passedAfter ? 0 : 1;
