import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { passLines } from './pass-lines.js';

/** What is passed on of these pieces, write by write. */
const passed = async (...pieces: readonly (Buffer | string)[]): Promise<string[]> => {
  const source = new PassThrough();
  const writes: string[] = [];
  passLines(source, { write: (text) => writes.push(text) });
  const ended = new Promise((resolve) => source.once('end', resolve));
  for (const piece of pieces) {
    source.write(piece);
    await new Promise(setImmediate);
  }
  source.end();
  await ended;
  return writes;
};

describe('lines of a worker', () => {
  it('are passed on once they are whole', async () => {
    expect(await passed('a', 'b\nc', 'd\ne\nf', '\n')).toEqual(['ab\n', 'cd\ne\n', 'f\n']);
  });

  it('are passed on though the worker ended within one', async () => {
    expect(await passed('a\nb', 'c')).toEqual(['a\n', 'bc\n']);
  });

  it('keep characters that come in two pieces', async () => {
    const bytes = Buffer.from('Zürich\n');
    expect(await passed(bytes.subarray(0, 2), bytes.subarray(2))).toEqual(['Zürich\n']);
  });

  it('are nothing where nothing was written', async () => {
    expect(await passed()).toEqual([]);
  });
});
