/** The table of docs/threat-model.md: one row for each attack, with the files whose tests have its number. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A row of the table.
 *
 * @typedef {object} ThreatRow
 * @property {number} number
 * @property {string} attack
 * @property {string[]} files - none if no test can prove the row
 * @property {string} proof - begins with `no test:` and the reason if no test can prove the row
 */

const DOCUMENT = 'docs/threat-model.md';
const LINK = /\]\(\.\.\/([^)]+\.spec\.ts)\)/g;

/** @returns {ThreatRow[]} */
export function readThreatRows() {
  return [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| +(\d+) +\|.*\|$/gm)].map(
    ([line, number]) => {
      const [, , attack = '', , proof = ''] = line.split('|').map((cell) => cell.trim());
      const files = [...proof.matchAll(LINK)].map(([, file = '']) => join(file));
      return { number: Number(number), attack, files, proof };
    },
  );
}
