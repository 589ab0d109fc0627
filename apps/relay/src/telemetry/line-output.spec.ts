import { openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { LineOutput } from './line-output.js';

const LINE = `${'x'.repeat(99)}\n`;

/** Stays open, as the output has no end. */
const open = (path: string): number => openSync(path, 'w');

/** A file that is gone after the test. */
const temporaryFile = (): string => {
  const path = join(tmpdir(), `relay-lines-${process.pid}`);
  onTestFinished(() => {
    rmSync(path);
  });
  return path;
};

describe('lines', () => {
  it('go out together, in their order, and the last ones when they are flushed', () => {
    const path = temporaryFile();
    const output = new LineOutput(open(path));
    const lines = Array.from({ length: 100 }, (_, index) => `${index}${LINE}`);
    for (const line of lines) {
      output.write(line);
    }
    expect(readFileSync(path, 'utf8')).not.toBe(lines.join(''));

    output.flushSync();

    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
  });

  it('are written after a while though few came', async () => {
    const path = temporaryFile();
    new LineOutput(open(path)).write(LINE);

    await expect.poll(() => readFileSync(path, 'utf8')).toBe(LINE);
  });

  it.runIf(process.platform === 'linux')('for a full disk throw nothing and end', () => {
    const output = new LineOutput(open('/dev/full'));
    for (let count = 0; count < 20_000; count += 1) {
      output.write(LINE);
    }
    output.flushSync();
  });
});
