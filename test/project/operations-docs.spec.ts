import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS, type ErrorCode } from '@relay/errors';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The cells, without backticks, of the table rows under a heading that begin with an error code. */
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
const clientRows = codeRows(operations, '### Client errors');
const peerRows = codeRows(operations, '### Errors between relays');
const logRows = codeRows(operations, '### Log-only codes');

const sorted = (values: readonly string[]) => [...values].sort();
const codesOf = (rows: readonly string[][]) => rows.map(([code]) => code!);

const codes = Object.keys(ERRORS) as ErrorCode[];

describe('docs/operations.md', () => {
  it('lists every code that clients see, with its status and verdict, and no other', () => {
    const rows = clientRows.map(([code, status, forwarded]) => [code, { status, forwarded }]);
    const expected = codes.flatMap((code) => {
      const entry = ERRORS[code];
      if (!('client' in entry)) {
        return [];
      }
      const { status, forwarded } = entry.client;
      const verdict = forwarded === 'varies' ? 'no, maybe' : forwarded;
      return [[code, { status: String(status), forwarded: verdict }]];
    });
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
  });

  it('lists every code that relays state, with status and signature, and no other', () => {
    const expected = codes.flatMap((code) => {
      const entry = ERRORS[code];
      if (!('relay' in entry)) {
        return [];
      }
      const { status, verdict } = entry.relay;
      return [[code, [String(status), verdict === 'unsigned' ? 'no' : verdict]]];
    });
    expect(
      Object.fromEntries(peerRows.map(([code, ...cells]) => [code, cells.slice(0, 2)])),
    ).toEqual(Object.fromEntries(expected));
  });

  it('lists every code of the registry once, and no other', () => {
    expect(sorted(codesOf([...clientRows, ...peerRows, ...logRows]))).toEqual(sorted(codes));
  });

  it('explains each code, and what to do about it, without an empty cell', () => {
    for (const cells of [...clientRows, ...peerRows, ...logRows]) {
      expect(cells.filter((cell) => cell === '')).toEqual([]);
    }
  });
});

describe('the error table of README.md', () => {
  it('has the same statuses and verdicts as docs/operations.md, in the same order', () => {
    const rows = codeRows(read('README.md'), '## Errors').map((cells) => cells.slice(0, 3));
    const codes = new Set(codesOf(rows));
    expect(rows).toEqual(
      clientRows.filter(([code]) => codes.has(code!)).map((cells) => cells.slice(0, 3)),
    );
  });
});
