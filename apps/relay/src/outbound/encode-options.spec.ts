import { describe, expect, it } from 'vitest';

import { parseEncodeOptions } from './encode-options.js';
import { OptionInvalidError } from './outbound.errors.js';

describe('a request without x-mte-encode-* headers', () => {
  it('is sealed completely, as MKE', () => {
    expect(parseEncodeOptions({})).toEqual({ type: 'mke', isPathSealed: true, sealedFields: true });
  });
});

describe('x-mte-encode-type', () => {
  it.each([
    ['MKE', 'mke'],
    ['mke', 'mke'],
    ['MTE', 'mte'],
    ['Mte', 'mte'],
    [' MTE ', 'mte'],
  ])('of %j selects %s', (value, type) => {
    expect(parseEncodeOptions({ 'x-mte-encode-type': value }).type).toBe(type);
  });

  it.each(['', 'AES', 'MKE, MTE', 'MKE, MKE', 'true', 'mke;'])('of %j is refused', (value) => {
    expect(() => parseEncodeOptions({ 'x-mte-encode-type': value })).toThrow(OptionInvalidError);
  });
});

describe('x-mte-encode-url', () => {
  it.each([
    ['true', true],
    ['TRUE', true],
    ['false', false],
    [' False ', false],
  ])('of %j sets isPathSealed to %s', (value, isPathSealed) => {
    expect(parseEncodeOptions({ 'x-mte-encode-url': value }).isPathSealed).toBe(isPathSealed);
  });

  it.each(['', '0', 'no', 'false, false', 'path'])('of %j is refused', (value) => {
    expect(() => parseEncodeOptions({ 'x-mte-encode-url': value })).toThrow(OptionInvalidError);
  });
});

describe('x-mte-encode-headers', () => {
  it.each<[value: string, sealedFields: boolean | ReadonlySet<string>]>([
    ['true', true],
    ['True', true],
    ['false', false],
    ['FALSE', false],
    ['x-one', new Set(['x-one'])],
    ['X-One, x-two ,\tx-three', new Set(['x-one', 'x-two', 'x-three'])],
    ['x-one,x-one', new Set(['x-one'])],
    ['true, x-one', new Set(['true', 'x-one'])],
  ])('of %j is accepted, in upper or lower case', (value, sealedFields) => {
    expect(parseEncodeOptions({ 'x-mte-encode-headers': value }).sealedFields).toEqual(
      sealedFields,
    );
  });

  it.each(['', ' ', ',', 'x-one,', ',x-one', 'x one', 'x-one;x-two', 'x:one', 'caf\xe9'])(
    'of %j is refused',
    (value) => {
      expect(() => parseEncodeOptions({ 'x-mte-encode-headers': value })).toThrow(
        OptionInvalidError,
      );
    },
  );
});
