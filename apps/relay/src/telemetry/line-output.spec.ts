import { openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { LineOutput } from './line-output.js';

const LINE = `${'x'.repeat(99)}\n`;

/** Opens a file that is never closed, because the output never ends. */
const open = (path: string): number => openSync(path, 'w');

/** A file that is removed after the test. */
const temporaryFile = (): string => {
  const path = join(tmpdir(), `relay-lines-${process.pid}`);
  onTestFinished(() => {
    rmSync(path);
  });
  return path;
};

describe('log lines', () => {
  it('are written together and in order, and the last ones when they are flushed', () => {
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

  it('are written after a short time even if they are few', async () => {
    const path = temporaryFile();
    new LineOutput(open(path)).write(LINE);

    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 4_000 }).toBe(LINE);
  });

  it.runIf(process.platform === 'linux')('are dropped without an error if the disk is full', () => {
    const output = new LineOutput(open('/dev/full'));
    for (let count = 0; count < 20_000; count += 1) {
      output.write(LINE);
    }
    output.flushSync();
  });
});
