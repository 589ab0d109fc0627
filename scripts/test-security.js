import { readFileSync } from 'node:fs';
import { readOptions } from '../bin/arguments.js';
import { RESULTS_DIR } from './results.js';
import { ensureRedis, runSuites } from './suites.js';
import { readThreatRows } from './threat-rows.js';

/** @import { ThreatRow } from './threat-rows.js' */

readOptions(
  `Usage: npm run test:security

Runs every test that docs/threat-model.md names, and prints a line for each row of its table: passed, failed, or why no
test can prove the row. The exit code is 1 if a row is not proved.`,
  {},
);

/**
 * A test of the last run.
 *
 * @typedef {object} TestResult
 * @property {string} title - with the titles of its suites
 * @property {string} status
 */

const NAME = 'security';

/** @returns {TestResult[]} */
function readTests() {
  /** @type {{ testResults: { assertionResults: { fullName: string, status: string }[] }[] }} */
  const { testResults } = JSON.parse(readFileSync(`${RESULTS_DIR}/${NAME}.json`, 'utf8'));
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ fullName, status }) => ({ title: fullName, status }));
}

/**
 * Judges a row by the tests whose titles contain its number.
 *
 * @param {ThreatRow} row
 * @param {TestResult[]} tests
 */
function verdictOn({ number, files, proof }, tests) {
  if (files.length === 0) {
    return { isProved: true, text: proof };
  }
  const own = tests.filter(({ title }) => new RegExp(`#${number}\\b`).test(title));
  /** @param {string} status */
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
