import { describe, expect, it } from 'vitest';

import { listenAddress } from './listen-address.js';
import { Refused } from './rule.js';

describe('the address of a listener', () => {
  it.each([
    ['127.0.0.1:9101', '127.0.0.1', 9101],
    ['localhost:1', 'localhost', 1],
    ['0.0.0.0:65535', '0.0.0.0', 65_535],
    ['[::1]:9101', '::1', 9101],
    ['[0:0::0:1]:9101', '::1', 9101],
    ['[2001:DB8::0A]:80', '2001:db8::a', 80],
    ['[::]:80', '::', 80],
  ])('%s is %s and %i', (text, host, port) => {
    expect(listenAddress(text)).toEqual({ host, port });
  });

  it.each([
    ...['', '9101', ':9101', '127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:080'],
    ...['127.0.0.1:65536', '127.1:80', '127.0.0.256:80', '0127.0.0.1:80', 'relay:80', '*:80'],
    ...['::1:80', '[::1]', '[127.0.0.1]:80', '[::g]:80', '[fe80::1%eth0]:80', 'http://[::1]:80'],
    ...['localhost.:80', '127.0.0.1:80 ', '127.0.0.1:80/', '[::1]:80\n'],
  ])('is not %j', (text) => {
    expect(listenAddress(text)).toEqual(
      new Refused('must be IP:port, [IPv6]:port or localhost:port, with a port from 1 to 65535'),
    );
  });

  it.each(['[::ffff:127.0.0.1]:80', '[0:0:0:0:0:ffff:7f00:1]:80'])(
    'has one spelling if it is one of IPv4, and is not %s',
    (text) => {
      expect(listenAddress(text)).toEqual(
        new Refused('must be an IPv4 address as such, not within an IPv6 address'),
      );
    },
  );
});
