import { describe, expect, it } from 'vitest';

import { rawFieldValues } from './raw-fields.js';

const raw = ['Set-Cookie', 'a=1', 'date', 'now', 'set-cookie', 'b=\xe9'];

describe('values of a raw field', () => {
  it.each([
    ['strings', raw],
    ['buffers', raw.map((text) => Buffer.from(text, 'latin1'))],
  ])('are found among %s, whatever the case of its name, in their order', (_kind, fields) => {
    expect(rawFieldValues(fields, 'set-cookie')).toEqual(['a=1', 'b=\xe9']);
    expect(rawFieldValues(fields, 'date')).toEqual(['now']);
  });

  it('are not those of another name of the same length', () => {
    expect(rawFieldValues(['dbte', 'x', 'Date', ''], 'date')).toEqual(['']);
    expect(rawFieldValues(raw, 'x-cookies-')).toEqual([]);
  });

  it('are not looked for among the values', () => {
    expect(rawFieldValues(['name', 'date', 'other', 'x'], 'date')).toEqual([]);
  });
});
