import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../../../test/support/lifecycle/property.js';
import { readProxyCredentials } from './proxy-credentials.js';

const basic = (text: string): string => `Basic ${Buffer.from(text, 'latin1').toString('base64')}`;

const latin1 = fc.string({
  unit: fc.nat(0xff).map((code) => String.fromCharCode(code)),
});
const user = latin1.map((text) => text.replaceAll(':', ''));

describe('credentials of a client of the forward proxy', () => {
  it('are the name up to the first colon, and all behind it, or the one of the two that is there', () => {
    fc.assert(
      fc.property(user, latin1, (name, token) => {
        const isBoth = name !== '' && token !== '';
        expect(readProxyCredentials(basic(`${name}:${token}`))).toEqual({
          user: isBoth ? name : undefined,
          token: isBoth ? token : name + token,
        });
      }),
      runs(1_000),
    );
  });

  it('are none without a colon', () => {
    fc.assert(
      fc.property(user, (text) => {
        expect(readProxyCredentials(basic(text))).toBeUndefined();
      }),
      runs(),
    );
  });

  it('are only what Base64 has, under the name of the scheme, in whatever case', () => {
    const unit = fc.constantFrom(...Array.from('BASICbasic  YTpi=+/\t,;"\xff'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit }),
          fc.string({ unit }).map((text) => `Basic ${text}`),
        ),
        (value) => {
          const found = readProxyCredentials(value);
          const [scheme, encoded = '', ...more] = value.trim().split(/ +/);
          const isWhole = scheme?.toLowerCase() === 'basic' && more.length === 0;
          const isBase64 = /^[A-Za-z0-9+/]+=*$/.test(encoded);
          expect(found === undefined || (isWhole && isBase64)).toBe(true);
        },
      ),
      runs(2_000),
    );
  });
});
