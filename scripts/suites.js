import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { RESULTS_DIR, recordCounts } from './results.js';

/** Makes sure that a redis-server is there for the suites; true when it is. */
export function ensureRedis() {
  return (
    spawnSync(process.execPath, ['scripts/ensure-redis.js'], { stdio: 'inherit' }).status === 0
  );
}

/**
 * Runs the vitest suites with the given Node.js binary and records their counts under `name`.
 * The binary's folder leads PATH, so that relays started by a test run on the same Node.js.
 * Returns true when everything passed.
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
      `--outputFile.json=${report}`,
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

/** A run that failed without a failed test (a file that does not load, a crash) counts as one failure. */
function countTests(report, status) {
  const { passed, failed } = readReport(report);
  return { passed, failed: status === 0 ? failed : Math.max(failed, 1) };
}

function readReport(report) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch (error) {
    console.error(`${report} is missing or incomplete: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
}
