import { describe, expect, it } from 'vitest';

import { rawFieldValues } from './raw-fields.js';

const raw = ['Set-Cookie', 'a=1', 'date', 'now', 'set-cookie', 'b=\xe9'];

describe('the values of a raw field', () => {
  it.each([
    ['strings', raw],
    ['buffers', raw.map((text) => Buffer.from(text, 'latin1'))],
  ])('are found in %s, in order, whatever the case of the name', (_kind, fields) => {
    expect(rawFieldValues(fields, 'set-cookie')).toEqual(['a=1', 'b=\xe9']);
    expect(rawFieldValues(fields, 'date')).toEqual(['now']);
  });

  it('do not include those of a different name of the same length', () => {
    expect(rawFieldValues(['dbte', 'x', 'Date', ''], 'date')).toEqual(['']);
    expect(rawFieldValues(raw, 'x-cookies-')).toEqual([]);
  });

  it('are found by name only, not by a value that equals the name', () => {
    expect(rawFieldValues(['name', 'date', 'other', 'x'], 'date')).toEqual([]);
  });
});
