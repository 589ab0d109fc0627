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
