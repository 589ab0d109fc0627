import { describe, expect, it } from 'vitest';

import { checkRequestHead, checkResponseHead } from './head-rules.js';
import { HeadInvalidError } from './protocol.errors.js';

function isAccepted(fields: readonly string[]): boolean {
  try {
    checkRequestHead({ method: 'GET', scheme: 'http', authority: '', path: '/', fields });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HeadInvalidError);
    return false;
  }
}

describe('the address of the client', () => {
  const NAME = 'x-mte-client-address';

  it.each(['192.0.2.1', '0.0.0.0', '[::1]', '[2001:db8::192.0.2.1]'])(
    '%s is accepted in a request, and in no response',
    (address) => {
      const fields = ['a', NAME, NAME, address, 'b', '1'];
      expect(isAccepted(fields)).toBe(true);
      expect(() => {
        checkResponseHead({ status: 200, fields });
      }).toThrow(HeadInvalidError);
    },
  );

  it.each([
    ...['', '::1', '192.0.2.256', '192.0.2', '192.0.2.1:80', 'a', '[::1', '[1:2]', '[fe80::1%1]'],
    ...['192.0.2.1, 192.0.2.2', '192.0.2.1"', '1\r\nx: y'],
  ])('%j is rejected', (address) => {
    expect(isAccepted([NAME, address])).toBe(false);
  });

  it('is rejected if there are two', () => {
    expect(isAccepted([NAME, '192.0.2.1', NAME, '192.0.2.1'])).toBe(false);
  });
});

describe('the name of the client', () => {
  const NAME = 'x-mte-client';

  it.each(['a', 'billing', 'Shop_2-eu', '-', '0'.repeat(64)])(
    '%s is accepted in a request, and in no response',
    (name) => {
      const fields = ['a', NAME, NAME, name, 'b', '1'];
      expect(isAccepted(fields)).toBe(true);
      expect(() => {
        checkResponseHead({ status: 200, fields });
      }).toThrow(HeadInvalidError);
    },
  );

  it.each([
    '',
    'a b',
    ' a',
    'a ',
    'a,b',
    'a.b',
    'a/b',
    'caf\xe9',
    'a\r\nx: y',
    'a\n',
    'a'.repeat(65),
  ])('%j is rejected', (name) => {
    expect(isAccepted([NAME, name])).toBe(false);
  });

  it('is rejected if there are two, also beside an address', () => {
    expect(isAccepted([NAME, 'billing', NAME, 'billing'])).toBe(false);
    const both = [NAME, 'billing', 'x-mte-client-address', '192.0.2.1'];
    expect(isAccepted(both)).toBe(true);
    expect(isAccepted([...both, NAME, 'shop'])).toBe(false);
  });

  it('does not count as one of the 256 fields, nor does the address', () => {
    const many = Array.from({ length: 512 }, () => 'a');
    const both = [NAME, 'billing', 'x-mte-client-address', '192.0.2.1'];
    expect(isAccepted([...both, ...many])).toBe(true);
    expect(isAccepted([...both, ...many, 'a', 'a'])).toBe(false);
  });
});
