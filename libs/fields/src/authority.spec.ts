import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { runs } from '../../../test/support/lifecycle/property.js';
import { isAuthority, isLoopback, normalAuthority } from './authority.js';

describe('an authority', () => {
  it.each([
    'a',
    'API.example.com',
    'api.example.com.',
    'registry_1:5000',
    'xn--bcher-kva.example:443',
    '~a-b',
    '127.0.0.1',
    '127.0.0.1:1',
    '[::]',
    '[::1]:65535',
    '[2001:DB8::192.0.2.1]',
    'a'.repeat(255),
    `${'a'.repeat(249)}:65535`,
  ])('is %s', (text) => {
    expect(isAuthority(text)).toBe(true);
  });

  it.each([
    '',
    ':80',
    'a:',
    'a:0',
    'a:080',
    'a:65536',
    'a:99999',
    'a:123456',
    'a:-1',
    'a:+1',
    'a:http',
    'a:80:80',
    'user@a',
    'user:pass@a',
    '@a',
    'a/',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'a b',
    ' a',
    'a ',
    'a\t',
    'a\n',
    'a\r\nx: y',
    'a\0',
    'a,b',
    'a;b',
    'a=b',
    'a"b',
    "a'b",
    '<a>',
    'a%2eb',
    '*',
    'a*b',
    'b\xfccher',
    '::1',
    '[]',
    '[::1',
    '::1]',
    '[:::]',
    '[1:2]',
    '[1:2:3:4:5:6:7:8:9]',
    '[12345::]',
    '[g::]',
    '[127.0.0.1]',
    '[::1.2.3]',
    '[fe80::1%eth0]',
    '[fe80::1%25eth0]',
    '[v1.a]',
    '[::1]a',
    '[::1]:',
    'a[::1]',
    'a'.repeat(256),
    `${'a'.repeat(250)}:65535`,
  ])('is not %j', (text) => {
    expect(isAuthority(text)).toBe(false);
  });

  it('has an address in brackets exactly if it is one of IPv6', () => {
    const unit = fc.constantFrom(...Array.from('0123456789abcdefABCDEF:::...'));
    const groups = fc
      .array(fc.constantFrom('0', 'a1', 'FFFF', '10000', '', '', '192.0.2.1', '1.2.3.256'), {
        maxLength: 10,
      })
      .map((parts) => parts.join(':'));
    fc.assert(
      fc.property(fc.oneof(groups, fc.string({ unit, maxLength: 45 })), (address) => {
        expect(isAuthority(`[${address}]`)).toBe(isIPv6(address));
      }),
      runs(1_000),
    );
  });
});

describe('the normal form of an authority', () => {
  it.each([
    ['API.Example', 'api.example:80'],
    ['api.example:80', 'api.example:80'],
    ['api.example:8080', 'api.example:8080'],
    ['api.example.', 'api.example:80'],
    ['api.example.:81', 'api.example:81'],
    ['registry_1:5000', 'registry_1:5000'],
    ['127.1:90', '127.0.0.1:90'],
    ['[2001:DB8:0::1]', '[2001:db8::1]:80'],
    ['[::FFFF:127.0.0.1]:1', '[::ffff:7f00:1]:1'],
  ])('%s is %s', (text, normal) => {
    expect(normalAuthority(text)).toBe(normal);
  });

  it.each(['', 'user@a', 'a:', 'a/b', '1.2.3.4.5', '[::1'])('does not exist of %j', (text) => {
    expect(normalAuthority(text)).toBeUndefined();
  });
});

describe('a host of the machine itself', () => {
  it.each(['localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1', '127.255.0.1', '::1', '[::1]'])(
    'is %s',
    (host) => {
      expect(isLoopback(host)).toBe(true);
    },
  );

  it.each([
    '',
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    '128.0.0.1',
    '0.0.0.0',
    '::',
  ])('is not %j', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
