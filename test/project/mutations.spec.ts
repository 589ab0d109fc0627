import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const FOLDER = 'test/mutations';
/** This test shows that the patches apply; `npm run test:mutations` shows that the tests notice each of them. */
const LEAST_PATCHES = 25;

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const patches = readdirSync(join(root, FOLDER)).filter((name) => name.endsWith('.patch'));

interface Hunk {
  readonly file: string;
  /** The lines that the patch expects, and the lines that replace them. */
  readonly before: string;
  readonly after: string;
}

function hunksOf(diff: string): Hunk[] {
  return diff.split(/^--- a\//m).flatMap((part) => {
    const [file = '', , ...lines] = part.split('\n');
    const hunks = lines
      .join('\n')
      .split(/^@@.*$/m)
      .slice(1);
    return hunks.map((hunk) => {
      const kept = (sign: string) =>
        hunk
          .split('\n')
          .filter((line) => line.startsWith(' ') || line.startsWith(sign))
          .map((line) => line.slice(1))
          .join('\n');
      return { file, before: kept('-'), after: kept('+') };
    });
  });
}

describe.each(patches)('test/mutations/%s', (name) => {
  const [head = '', ...diffs] = read(join(FOLDER, name)).split(/^diff --git .*\n/m);

  it('names the defence that it removes, its threat, and the tests that notice it', () => {
    const tests = /^Tests: (.*)$/m.exec(head)?.[1]?.split(' ') ?? [];
    expect(head).toMatch(/^.{20,} Threat \d+\.\n/);
    expect(tests).not.toEqual([]);
    expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('applies to the current sources', () => {
    const hunks = diffs.flatMap(hunksOf);
    expect(hunks).not.toEqual([]);
    for (const { file, before, after } of hunks) {
      expect(read(file).split(before), `${file}:\n${before}`).toHaveLength(2);
      expect(before).not.toBe(after);
    }
  });

  it('leaves sources that can be parsed, since tests of others would fail for any reason', () => {
    for (const { file, before, after } of diffs.flatMap(hunksOf)) {
      const source = read(file).replace(before, () => after);
      const { diagnostics = [] } = ts.transpileModule(source, {
        compilerOptions: { experimentalDecorators: true },
        reportDiagnostics: true,
      });
      expect(diagnostics.map(({ messageText }) => messageText)).toEqual([]);
    }
  });
});

it(`at least ${LEAST_PATCHES} defences have a patch that removes them`, () => {
  expect(patches.length).toBeGreaterThanOrEqual(LEAST_PATCHES);
});
