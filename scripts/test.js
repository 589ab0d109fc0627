import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { readOptions } from '../bin/arguments.js';
import { clearResults, readCounts, recordCounts } from './results.js';
import { ensureRedis, runSuites } from './suites.js';

readOptions(
  `Usage: npm test

Runs the whole gate: types, lint, format, architecture, dead code, all suites, the build and one start of it. It takes
about half an hour on two cores. Every check runs even if an earlier one failed; the last line lists those that failed.
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

/**
 * Checks that only read files, each as the name of what it checks and its script. Those of one list run one after the other,
 * the lists beside each other.
 */
const READERS = [
  [
    ['types', 'typecheck'],
    ['format', 'format:check'],
    ['architecture', 'arch'],
    ['dead code', 'deadcode'],
  ],
  [['lint', 'lint']],
];

/** @type {Check[]} */
const finalChecks = [
  ['build', npmScript('build')],
  ['built service', nodeScript('scripts/check-built-service.js')],
];

/**
 * Runs a script, and prints its output at once when it has ended.
 *
 * @param {string} name
 * @param {string} script
 */
async function read(name, script) {
  const child = spawn('sh', ['-c', `exec npm run --silent ${script} 2>&1`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, exitCode] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  console.log(`\n── ${name}\n${output.trimEnd()}`);
  return record(name, exitCode === 0);
}

/** @param {readonly (readonly string[])[]} list */
async function readAll(list) {
  const passed = [];
  for (const [name = '', script = ''] of list) {
    passed.push(await read(name, script));
  }
  return passed.every(Boolean);
}

/** @param {Check} check */
function run([name, check]) {
  console.log(`\n── ${name}`);
  return record(name, check());
}

/**
 * @param {string} name
 * @param {boolean} passed
 */
function record(name, passed) {
  recordCounts(name, passed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
  return passed;
}

clearResults();
const readersPassed = (await Promise.all(READERS.map(readAll))).every(Boolean);
const passedBefore = run(['redis-server', ensureRedis]) && readersPassed;
console.log('\n── suites');
const suitesPassed = runSuites({ name: 'suites' });
const passedAfter = finalChecks.map(run).every(Boolean);

const failures = readCounts().filter(({ failed }) => failed > 0);
const summary = failures.map(({ name, failed }) => `${name} (${failed})`).join(', ');
console.log(summary === '' ? '\nEverything passed.' : `\nFailed: ${summary}`);
process.exitCode = passedBefore && suitesPassed && passedAfter ? 0 : 1;
