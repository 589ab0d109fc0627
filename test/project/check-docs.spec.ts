import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { REMEDIES, type FindingCode } from '../../apps/relay/src/check/findings.js';
import { lineOf } from '../../apps/relay/src/check/report-lines.js';
import { STEPS, type StepName } from '../../apps/relay/src/check/steps.js';

const document = readFileSync(join(import.meta.dirname, '../../docs/check.md'), 'utf8');

/** The cells of the rows of a section's table. */
const rowsOf = (heading: string): string[][] => {
  const [, section = ''] = document.split(`\n## ${heading}\n`);
  return section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
};

describe('docs/check.md', () => {
  it('describes every step, in the order in which they are printed', () => {
    expect(rowsOf('The steps').map(([step]) => step)).toEqual(STEPS.map((step) => `\`${step}\``));
  });

  it('has every code, with what the command says to do', () => {
    const rows = rowsOf('What was found, and what to do');
    expect(rows.map(([code, , , todo]) => [code, todo])).toEqual(
      Object.entries(REMEDIES).map(([code, todo]) => [`\`${code}\``, todo]),
    );
  });

  it('names only steps that there are beside the codes', () => {
    const named = rowsOf('What was found, and what to do').flatMap(([, steps]) =>
      steps!.split(', '),
    );
    expect(named.filter((step) => !(STEPS as readonly string[]).includes(step))).toEqual([]);
  });

  it('shows failed steps as they are printed', () => {
    const lines = document.split('\n').filter((line) => line.startsWith('✗ '));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const [, step, code, cause, ms] =
        /^✗ (\w+) +(CHECK_\w+): (.*?)(?: \((\d+) ms\))?\. [A-Z]/.exec(line) ?? [];
      const failed = {
        step: step as StepName,
        ok: false,
        code: code as FindingCode,
        cause,
        todo: REMEDIES[code as FindingCode],
        ms: ms === undefined ? undefined : Number(ms),
      };
      expect(lineOf(failed)).toBe(line);
    }
  });
});
