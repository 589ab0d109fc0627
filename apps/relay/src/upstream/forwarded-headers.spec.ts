import { describe, expect, it } from 'vitest';

import { withForwardedFields, withoutFieldsForRelays } from './forwarded-headers.js';

const ADDRESS = 'x-mte-client-address';
const head = (scheme: 'http' | 'https', ...fields: string[]) => ({
  ...{ method: 'GET', authority: 'not.believed', path: '/' },
  scheme,
  fields,
});

describe('the fields that relays make', () => {
  it('state the address, host, port and scheme of the client', () => {
    const made = withForwardedFields(head('https', 'a', '1', ADDRESS, '192.0.2.1'), 'b.example:81');
    expect(made).toEqual([
      ...['a', '1', 'forwarded', 'for=192.0.2.1;host="b.example:81";proto=https'],
      ...['x-forwarded-for', '192.0.2.1', 'x-forwarded-host', 'b.example:81'],
      ...['x-forwarded-port', '81', 'x-forwarded-proto', 'https'],
    ]);
  });

  it('have an IPv6 address in quotes and brackets only where RFC 7239 wants them', () => {
    const made = withForwardedFields(head('http', ADDRESS, '[2001:db8::1]'), '[::1]');
    expect(made).toEqual([
      ...['forwarded', 'for="[2001:db8::1]";host="[::1]";proto=http'],
      ...['x-forwarded-for', '2001:db8::1', 'x-forwarded-host', '[::1]'],
      ...['x-forwarded-port', '80', 'x-forwarded-proto', 'http'],
    ]);
  });

  it('state no address and no host that are not known', () => {
    expect(withForwardedFields(head('https'), '')).toEqual([
      ...['forwarded', 'for=unknown;proto=https', 'x-forwarded-proto', 'https'],
    ]);
  });

  it.each([
    'forwarded',
    'x-forwarded-for',
    'x_forwarded_for',
    'x.forwarded-host',
    'x-forwarded-port',
    // Rack takes the scheme from these before it reads x-forwarded-proto.
    'x-forwarded-ssl',
    'x_forwarded.scheme',
    'x-forwarded',
  ])('replace %s even where they state nothing', (name) => {
    expect(withForwardedFields(head('http', name, 'forged'), '')).not.toContain('forged');
  });
});

describe('the fields of a request', () => {
  it.each([
    ['an address', [ADDRESS, '192.0.2.1']],
    ['a name', ['x-mte-client', 'billing']],
    ['both', ['x-mte-client', 'billing', ADDRESS, '192.0.2.1']],
    ['neither', []],
  ])('do not have what is only for relays: %s', (_what, fields) => {
    expect(withoutFieldsForRelays(head('http', 'a', '1', ...fields))).toEqual(['a', '1']);
    const made = withForwardedFields(head('http', ...fields), '');
    expect(made.filter((name) => name.startsWith('x-mte-'))).toEqual([]);
  });
});
