import { isIP } from 'node:net';

import { normalAuthority } from '@relay/fields';

import { Refused } from './rule.js';

const WILDCARD = '*.';

const isAddress = (authority: string): boolean => {
  const host = authority.replace(/:\d+$/, '');
  return host.startsWith('[') || isIP(host) !== 0;
};

/**
 * Reads what clients call a peer: `host` or `host:port`, of which the host may begin with `*.` for all names below it.
 *
 * @returns its normal form: that of `normalAuthority`, behind the wildcard if there is one
 */
export function hostPattern(text: string): string | Refused {
  const isWildcard = text.startsWith(WILDCARD);
  const rest = isWildcard ? text.slice(WILDCARD.length) : text;
  if (rest.includes('*') || (isWildcard && /^(?::|$)/.test(rest))) {
    return new Refused(
      'may have a wildcard only as "*." at the beginning, with a name behind it, such as "*.example.com"',
    );
  }
  const authority = normalAuthority(rest);
  if (authority === undefined) {
    return new Refused(
      'must be a host or host:port, without a scheme, a user name or a path, and in punycode (xn--) beyond ASCII',
    );
  }
  if (isWildcard && isAddress(authority)) {
    return new Refused('must not have a wildcard before an IP address');
  }
  return isWildcard ? `${WILDCARD}${authority}` : authority;
}
