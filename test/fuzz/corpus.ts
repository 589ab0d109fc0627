import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One folder for each target, one file for each input, named by its hash. The first inputs came from test/vectors. */
const CORPUS = join(import.meta.dirname, 'corpus');

const HASH_DIGITS = 12;

export function readSeeds(target: string): Buffer[] {
  const folder = join(CORPUS, target);
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

/** Saves inputs for all later runs. */
export function saveSeeds(target: string, inputs: readonly Buffer[]): void {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  for (const input of inputs) {
    const name = createHash('sha256').update(input).digest('hex').slice(0, HASH_DIGITS);
    writeFileSync(join(folder, `${name}.bin`), input);
  }
}
