import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROWS = 122;

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const rows = [...read('docs/threat-model.md').matchAll(/^\| +(\d+) +\|.*\|$/gm)].map(
  ([line, number]) => {
    const proof = line.split('|').at(-2)!.trim();
    const files = [...proof.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file]) => file!);
    return { number: Number(number), proof, files };
  },
);

const carries = (file: string, number: number) =>
  existsSync(join(root, file)) && new RegExp(`#${number}\\b`).test(read(file));

/** The threat numbers in a file. */
const numbersIn = (file: string) => [
  ...new Set([...read(file).matchAll(/#(\d+)\b/g)].map(([, number]) => Number(number))),
];

describe('the table of docs/threat-model.md', () => {
  it('has a row for every threat, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(
      Array.from({ length: ROWS }, (_, at) => at + 1),
    );
  });

  it('names for each threat a test that carries its number, or says why there is none', () => {
    const unproved = rows.filter(({ number, files, proof }) =>
      files.length === 0
        ? !/^no test: .{20}/.test(proof)
        : !files.some((file) => carries(file, number)),
    );
    expect(unproved).toEqual([]);
  });

  it('names every file of test/security in the rows whose numbers it carries', () => {
    const missing = readdirSync(join(root, 'test/security'))
      .filter((name) => name.endsWith('.spec.ts'))
      .map((name) => `test/security/${name}`)
      .flatMap((file) =>
        numbersIn(file)
          .filter((number) => rows[number - 1]?.files.includes(file) !== true)
          .map((number) => `${file} is not in row ${number}`),
      );
    expect(missing).toEqual([]);
  });
});
