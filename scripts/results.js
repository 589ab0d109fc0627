/** Counts of the checks of a run, kept as one small file a check in .test-results/counts. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

export const RESULTS_DIR = '.test-results';
const COUNTS_DIR = `${RESULTS_DIR}/counts`;

/** Forgets every earlier result. */
export function clearResults() {
  rmSync(RESULTS_DIR, { recursive: true, force: true });
}

/** Keeps how many parts of the named check passed and failed; a second call with that name replaces the first. */
export function recordCounts(name, { passed, failed }) {
  mkdirSync(COUNTS_DIR, { recursive: true });
  const file = `${COUNTS_DIR}/${name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`;
  writeFileSync(file, JSON.stringify({ name, passed, failed }));
}

/** Returns everything recorded, as `{ name, passed, failed }`. */
export function readCounts() {
  try {
    return readdirSync(COUNTS_DIR).map((file) =>
      JSON.parse(readFileSync(`${COUNTS_DIR}/${file}`, 'utf8')),
    );
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
