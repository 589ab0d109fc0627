import { isIPv6 } from 'node:net';

import { normalAuthority } from '@relay/fields';

import { Refused } from './rule.js';

/**
 * Reads a host name or an IP address.
 *
 * @returns its normal form: that of `normalAuthority` without the port, an IPv6 address in brackets
 */
export function hostWithoutPort(text: string): string | Refused {
  const host = isIPv6(text) ? `[${text}]` : text;
  // With a port behind another one, it would be no authority.
  const normal = normalAuthority(`${host}:80`);
  return normal === undefined
    ? new Refused(
        'must be a host name or an IP address, without a scheme, a port or a path, and in punycode (xn--) beyond ASCII',
      )
    : normal.replace(/:80$/, '');
}
