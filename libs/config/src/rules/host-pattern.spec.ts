import { normalAuthority } from '@relay/fields';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { hostPattern } from './host-pattern.js';
import { Refused } from './rule.js';

const numRuns = process.env['SLOW'] === '1' ? 10_000 : 1_000;

const WILDCARD =
  'may have a wildcard only as "*." at the beginning, with a name behind it, such as "*.example.com"';
const FORM =
  'must be a host or host:port, without a scheme, a user name or a path, and in punycode (xn--) beyond ASCII';

describe('the host of a peer', () => {
  it.each([
    ['API.Payments.Example', 'api.payments.example:80'],
    ['api.example.:8080', 'api.example:8080'],
    ['registry_1', 'registry_1:80'],
    ['127.1:90', '127.0.0.1:90'],
    ['[2001:DB8:0::1]', '[2001:db8::1]:80'],
    ['*.Pay.Example', '*.pay.example:80'],
    ['*.internal:8080', '*.internal:8080'],
  ])('%s is %s', (text, normal) => {
    expect(hostPattern(text)).toBe(normal);
  });

  it.each([
    ...['*', '*.', '*.:80', '**.example', '*.*.example', 'api.*.example', '*api.example', '*:80'],
  ])('has a wildcard only in place of its first labels, unlike %s', (text) => {
    expect(hostPattern(text)).toEqual(new Refused(WILDCARD));
  });

  it.each(['*.10.0.0.1', '*.1', '*.0x7f.1:80', '*.[::1]:80'])(
    'has no wildcard before an address, unlike %s',
    (text) => {
      expect(hostPattern(text)).toEqual(
        new Refused('must not have a wildcard before an IP address'),
      );
    },
  );

  it.each([
    ...['', ' a', 'http://a', '//a', 'a/', 'a/b', 'user@a', 'u:p@a', 'a:', 'a:0', 'a:080'],
    ...['a:65536', 'a?b', 'a#b', 'a,b', 'a b', 'bücher.example', '%61', '1.2.3.256', '::1', '[::1'],
    ...['.', '..', '.a', 'a..b', 'a..', '*..a', '*.a..', '[fe80::1%25eth0]', 'a'.repeat(256)],
  ])('is not %j', (text) => {
    expect(hostPattern(text)).toEqual(new Refused(FORM));
  });

  it('has a normal form that is its own, and that a host of a request can have', () => {
    const part = fc.constantFrom(
      ...['*.', '*', 'a', 'B', 'xn--', '.', '-', '_', '1', '0x7f', ':', '80', '[::1]', '@', '/'],
    );
    const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ maxLength: 20 })), (given) => {
        const pattern = hostPattern(given);
        if (pattern instanceof Refused) {
          return;
        }
        expect(hostPattern(pattern)).toBe(pattern);
        const name = pattern.replace(/^\*/, 'below');
        expect(normalAuthority(name)).toBe(name);
      }),
      { numRuns },
    );
  });
});
