import { describe, expect, it } from 'vitest';

import { variableName, withReplacedNamesakes, withoutNamesakes } from './namesakes.js';

describe('the name of a variable', () => {
  it.each([
    ['x-api-key', 'x_api_key'],
    ['x.api~key', 'x_api_key'],
    ["!#$%&'*+-.^_`|~", '_______________'],
    ['xapikey', 'xapikey'],
    ['__proto__', '__proto__'],
    ['a1-2', 'a1_2'],
  ])('has an underscore for each character but letters and digits: %s', (name, variable) => {
    expect(variableName(name)).toBe(variable);
  });
});

describe('fields without namesakes', () => {
  const fields = ['a-b', '1', 'a_b', '2', 'ab', '3', 'a.b', '4', 'a--b', '5', 'ab', '6'];

  it('are those whose variable has another name, in their order and with repeats', () => {
    expect(withoutNamesakes(fields, ['a_b'])).toEqual(['ab', '3', 'a--b', '5', 'ab', '6']);
  });

  it('are all fields if no name is given', () => {
    expect(withoutNamesakes(fields, [])).toEqual(fields);
  });

  it('are chosen by name only, not by a value that equals the name', () => {
    expect(withoutNamesakes(['x', 'a-b', 'y', 'a_b'], ['a-b'])).toEqual(['x', 'a-b', 'y', 'a_b']);
  });

  it('are a new list', () => {
    const given = ['a', '1'];
    withoutNamesakes(given, []).push('b', '2');
    withoutNamesakes(given, ['a']);
    expect(given).toEqual(['a', '1']);
  });
});

describe('replaced namesakes', () => {
  it('give way to the fields that are set, which come last', () => {
    const replacements = [
      ['x-api-key', 'ours'],
      ['d', ''],
    ] as const;
    expect(
      withReplacedNamesakes(['x_api_key', '1', 'c', '2', 'X', '3', 'x-api-key', '4'], replacements),
    ).toEqual(['c', '2', 'X', '3', 'x-api-key', 'ours', 'd', '']);
  });
});
