/** The counts of a run, kept as one small file for each check in .test-results/counts. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/**
 * How many parts of a check passed and failed.
 *
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 */

export const RESULTS_DIR = '.test-results';
const COUNTS_DIR = `${RESULTS_DIR}/counts`;

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
