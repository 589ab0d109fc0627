/**
 * Prints which tests failed, and `N passed, N failed` over everything that the last runs recorded. The arguments are the exit codes of those
 * runs: a run that failed without recording a failure counts as one failure.
 */
import { readCounts, readFailures } from './results.js';

const counts = readCounts();
/** @param {'passed' | 'failed'} key */
const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
const someRunFailed = process.argv.slice(2).some((exitCode) => exitCode !== '0');

const failures = readFailures();
for (const title of failures.flatMap(({ repeated }) => repeated)) {
  console.log(`passed only when repeated: ${title}`);
}
for (const title of failures.flatMap((run) => run.failed)) {
  console.log(`failed: ${title}`);
}

const failed = sum('failed') || (someRunFailed ? 1 : 0);
console.log(`${sum('passed')} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
