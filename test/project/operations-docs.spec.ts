import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT_VARIABLES } from '@relay/config';
import { describe, expect, it } from 'vitest';
import {
  CLIENT_STATUSES,
  clientStatus,
  INTERNAL_CODE,
  PEER_ANSWERS,
} from '../../apps/relay/src/errors/error-answers.js';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Cells of the table rows under a heading that begin with an error code, without quotes. */
function codeRows(document: string, heading: string): string[][] {
  const [, section = ''] = document.split(`${heading}\n`);
  const [table = ''] = section.split(/^#/m);
  return [...table.matchAll(/^\| `RELAY_.*$/gm)].map(([line]) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const operations = read('docs/operations.md');
const clientRows = codeRows(operations, '### What clients see');
const peerRows = codeRows(operations, '### What relays state to each other');
const logRows = codeRows(operations, '### What only logs have');

const sorted = (values: readonly string[]) => [...values].sort();
const codesOf = (rows: readonly string[][]) => rows.map(([code]) => code!);

const clientStatuses = Object.fromEntries(
  [...Object.keys(CLIENT_STATUSES), INTERNAL_CODE].map((code) => [
    code,
    String(clientStatus(code)),
  ]),
);

describe('docs/operations.md', () => {
  it('lists every code that clients see, with its status, and no other', () => {
    expect(Object.fromEntries(clientRows.map(([code, status]) => [code, status]))).toEqual(
      clientStatuses,
    );
  });

  it('lists every code that relays state, with status and signature, and no other', () => {
    const stated = Object.entries(PEER_ANSWERS).map(([code, { status, isNeverForwarded }]) => {
      const p = isNeverForwarded === true ? 'p=0' : 'p=1';
      return [code, [String(status), isNeverForwarded === undefined ? 'no' : p]];
    });
    expect(
      Object.fromEntries(peerRows.map(([code, ...cells]) => [code, cells.slice(0, 2)])),
    ).toEqual(Object.fromEntries(stated));
  });

  it('lists every code that the sources have, once, and no other', () => {
    const variables = new Set<string>(Object.values(ENVIRONMENT_VARIABLES));
    const codes = new Set(
      ['apps', 'libs']
        .flatMap((dir) =>
          readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' }).map((file) =>
            join(dir, file),
          ),
        )
        .filter((file) => /(?<![.](?:spec|contract))[.]ts$/.test(file))
        .flatMap((file) => [...read(file).matchAll(/'(RELAY_[A-Z_]+)'/g)].map(([, code]) => code!))
        .concat(Object.keys(CLIENT_STATUSES), Object.keys(PEER_ANSWERS))
        .filter((code) => !variables.has(code)),
    );
    expect(sorted(codesOf([...clientRows, ...peerRows, ...logRows]))).toEqual(sorted([...codes]));
  });

  it('says of each code what happened, and what to do where somebody was answered', () => {
    for (const cells of [...clientRows, ...peerRows, ...logRows]) {
      expect(cells.filter((cell) => cell === '')).toEqual([]);
    }
  });
});

describe('the error table of README.md', () => {
  it('has statuses and verdicts as docs/operations.md has them, in its order', () => {
    const rows = codeRows(read('README.md'), '## Errors').map((cells) => cells.slice(0, 3));
    const codes = new Set(codesOf(rows));
    expect(rows).toEqual(
      clientRows.filter(([code]) => codes.has(code!)).map((cells) => cells.slice(0, 3)),
    );
  });
});
