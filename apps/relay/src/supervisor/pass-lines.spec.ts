import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { passLines } from './pass-lines.js';

/** What is passed on if a worker writes these chunks: one element for each write. */
const passed = async (...chunks: readonly (Buffer | string)[]): Promise<string[]> => {
  const source = new PassThrough();
  const writes: string[] = [];
  passLines(source, { write: (text) => writes.push(text) });
  const ended = new Promise((resolve) => source.once('end', resolve));
  for (const chunk of chunks) {
    source.write(chunk);
    await new Promise(setImmediate);
  }
  source.end();
  await ended;
  return writes;
};

describe('the output of a worker', () => {
  it('is passed on in complete lines', async () => {
    expect(await passed('a', 'b\nc', 'd\ne\nf', '\n')).toEqual(['ab\n', 'cd\ne\n', 'f\n']);
  });

  it('is passed on even if its last line is incomplete', async () => {
    expect(await passed('a\nb', 'c')).toEqual(['a\n', 'bc\n']);
  });

  it('may split a character between two chunks', async () => {
    const bytes = Buffer.from('Zürich\n');
    expect(await passed(bytes.subarray(0, 2), bytes.subarray(2))).toEqual(['Zürich\n']);
  });

  it('may be empty', async () => {
    expect(await passed()).toEqual([]);
  });
});
