import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { RESULTS_DIR, recordCounts } from './results.js';

/** @import { Counts } from './results.js' */

/**
 * Makes sure that the suites find a redis-server.
 *
 * @returns {boolean} true if they do
 */
export function ensureRedis() {
  return (
    spawnSync(process.execPath, ['scripts/ensure-redis.js'], { stdio: 'inherit' }).status === 0
  );
}

/**
 * Runs the vitest suites with the given Node.js binary and records their counts under `name`.
 * The binary's folder comes first in PATH, so that relays that a test starts run on the same Node.js.
 *
 * @param {{ name: string, node?: string, args?: string[] }} options
 * @returns {boolean} true if everything passed
 */
export function runSuites({ name, node = process.execPath, args = [] }) {
  const report = `${RESULTS_DIR}/${name}.json`;
  mkdirSync(RESULTS_DIR, { recursive: true });
  rmSync(report, { force: true });
  const { status } = spawnSync(
    node,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      '--reporter=./scripts/failures-reporter.js',
      `--outputFile.json=${report}`,
      // A whole run takes 45 minutes. What passes only when it is repeated is listed at its end, and is to be mended.
      ...(process.env.CI === 'true' ? ['--retry=1'] : []),
      ...args,
    ],
    {
      stdio: 'inherit',
      env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
    },
  );
  recordCounts(name, countTests(report, status));
  return status === 0;
}

/**
 * Counts a run that failed without a failed test (a file that does not load, a crash) as one failure.
 *
 * @param {string} report
 * @param {number | null} status - the exit code of the run
 * @returns {Counts}
 */
function countTests(report, status) {
  const { passed, failed } = readReport(report);
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1) };
}

/**
 * @param {string} report
 * @returns {Counts}
 */
function readReport(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`${report} is missing or incomplete: ${reason}`);
    return { passed: 0, failed: 1 };
  }
}
