import { describe, expect, it } from 'vitest';

import { hasUndecodedCoding, transferCodings } from './transfer-codings.js';

const isUndecoded = (...values: string[]): boolean =>
  hasUndecodedCoding(transferCodings(values.flatMap((value) => ['Transfer-Encoding', value])));

describe('the codings of a response', () => {
  it.each([
    [],
    ['chunked'],
    [' Chunked\t'],
    ['identity'],
    ['identity, IDENTITY'],
    ['identity, chunked'],
    ['identity', 'chunked'],
  ])('are all decoded: %j', (...values) => {
    expect(isUndecoded(...values)).toBe(false);
  });

  it.each([
    ['gzip'],
    ['gzip, chunked'],
    ['chunked, chunked'],
    ['chunked', 'chunked'],
    ['chunked, identity'],
    ['chunked', 'identity'],
    ['chunked;q=1'],
    ['chunked,'],
    [''],
    ['identityx'],
  ])('are not all decoded: %j', (...values) => {
    expect(isUndecoded(...values)).toBe(true);
  });
});
