/**
 * `npm test`: the whole gate. Every check runs even when an earlier one failed, so that one run shows
 * all that is wrong; the list at the end says which.
 */
import { spawnSync } from 'node:child_process';
import { clearResults, readCounts, recordCounts } from './results.js';
import { ensureRedis, runSuites } from './suites.js';

const npmScript = (name) => () =>
  spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' }).status === 0;

const nodeScript = (file) => () =>
  spawnSync(process.execPath, [file], { stdio: 'inherit' }).status === 0;

const checks = [
  ['types', npmScript('typecheck')],
  ['lint', npmScript('lint')],
  ['format', npmScript('format:check')],
  ['architecture', npmScript('arch')],
  ['dead code', npmScript('deadcode')],
  ['redis-server', ensureRedis],
];
const finalChecks = [
  ['build', npmScript('build')],
  ['built service', nodeScript('scripts/check-built-service.js')],
];

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
