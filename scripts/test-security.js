/**
 * `npm run test:security`: runs every test that docs/threat-model.md names and prints its table, one line a row: passed,
 * failed, or why no test can show it. Exit code 1 where a row is not proved.
 */
import { readFileSync } from 'node:fs';
import { RESULTS_DIR } from './results.js';
import { ensureRedis, runSuites } from './suites.js';
import { readThreatRows } from './threat-rows.js';

const NAME = 'security';

/** Every test of the last run, as `{ title, status }`, its title with those of its suites. */
function readTests() {
  const { testResults } = JSON.parse(readFileSync(`${RESULTS_DIR}/${NAME}.json`, 'utf8'));
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ fullName, status }) => ({ title: fullName, status }));
}

/** What the tests that carry the number of a row say of it. */
function verdictOn({ number, files, proof }, tests) {
  if (files.length === 0) return { isProved: true, text: proof };
  const own = tests.filter(({ title }) => new RegExp(`#${number}\\b`).test(title));
  const count = (status) => own.filter((test) => test.status === status).length;
  const [passed, failed] = [count('passed'), count('failed')];
  const isProved = passed > 0 && failed === 0;
  return { isProved, text: `${isProved ? 'pass' : 'FAIL'}  ${passed} passed, ${failed} failed` };
}

const rows = readThreatRows();
const files = [...new Set(rows.flatMap((row) => row.files))];
const ranWell = ensureRedis() && runSuites({ name: NAME, args: ['test/security', ...files] });
const tests = readTests();

console.log('\n── docs/threat-model.md, row by row');
let unproved = 0;
for (const row of rows) {
  const { isProved, text } = verdictOn(row, tests);
  unproved += isProved ? 0 : 1;
  console.log(`${String(row.number).padStart(3)}  ${text.padEnd(28)}  ${row.attack}`);
}
console.log(`${rows.length - unproved} of ${rows.length} rows passed`);
process.exitCode = ranWell && unproved === 0 && rows.length > 0 ? 0 : 1;
