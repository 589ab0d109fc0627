/** The counts of a run, kept as one small file for each check in .test-results/counts. */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

/**
 * How many parts of a check passed and failed.
 *
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 */

export const RESULTS_DIR = '.test-results';
const COUNTS_DIR = `${RESULTS_DIR}/counts`;

/** @typedef {{ failed: readonly string[], repeated: readonly string[] }} Failures */

const FAILURES_FILE = `${RESULTS_DIR}/failures.jsonl`;

/**
 * Adds the tests that failed in a run, and those that passed only when they were repeated.
 *
 * @param {Failures} failures
 */
export function recordFailures(failures) {
  mkdirSync(RESULTS_DIR, { recursive: true });
  appendFileSync(FAILURES_FILE, `${JSON.stringify(failures)}\n`);
}

/**
 * Returns what `recordFailures` has added since the results were deleted.
 *
 * @returns {Failures[]}
 */
export function readFailures() {
  try {
    const lines = readFileSync(FAILURES_FILE, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Deletes all earlier results. */
export function clearResults() {
  rmSync(RESULTS_DIR, { recursive: true, force: true });
}

/**
 * Records the counts of a check. A later call with the same name replaces them.
 *
 * @param {string} name
 * @param {Counts} counts
 */
export function recordCounts(name, { passed, failed }) {
  mkdirSync(COUNTS_DIR, { recursive: true });
  const file = `${COUNTS_DIR}/${name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`;
  writeFileSync(file, JSON.stringify({ name, passed, failed }));
}

/**
 * Returns everything that is recorded.
 *
 * @returns {(Counts & { name: string })[]}
 */
export function readCounts() {
  try {
    return readdirSync(COUNTS_DIR).map((file) =>
      JSON.parse(readFileSync(`${COUNTS_DIR}/${file}`, 'utf8')),
    );
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
