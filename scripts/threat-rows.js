/** The table of docs/threat-model.md: one row an attack, with the files whose tests carry its number. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCUMENT = 'docs/threat-model.md';
const LINK = /\]\(\.\.\/([^)]+\.spec\.ts)\)/g;

/**
 * Returns the rows as `{ number, attack, files, proof }`. Where no test can show a row,
 * its `proof` says `no test:` and why.
 */
export function readThreatRows() {
  return [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| +(\d+) +\|.*\|$/gm)].map(
    ([line, number]) => {
      const [, , attack, , proof] = line.split('|').map((cell) => cell.trim());
      const files = [...proof.matchAll(LINK)].map(([, file]) => join(file));
      return { number: Number(number), attack, files, proof };
    },
  );
}
