import { isIP } from 'node:net';

import { isAuthority } from '@relay/fields';

import { Refused, refuseUnless } from './rule.js';

/** Of a name in DNS. RFC 1035 section 2.3.4. */
const MAX_NAME_OCTETS = 253;

/**
 * Reads the name that the certificate of an API must have. It is also named in the handshake, where an address must not be: RFC
 * 6066 section 3.
 */
export function nameInCertificate(text: string): string | Refused {
  const isName =
    isAuthority(text) && !text.includes(':') && isIP(text) === 0 && text.length <= MAX_NAME_OCTETS;
  return isName ? text.toLowerCase() : new Refused('must be a host name');
}

const upstreamsOf = (domainMap: unknown): readonly unknown[] =>
  Array.isArray(domainMap)
    ? (domainMap as readonly { readonly upstream: string }[]).map(({ upstream }) => upstream)
    : [];

/** Refuses a TLS setting that would have no effect, because the API is called in plaintext. */
export function NeedsHttps(): PropertyDecorator {
  return refuseUnless(
    'needsHttps',
    'needs an UPSTREAM that begins with https; a tenant of RELAY_CONFIG_FILE has upstreamTls instead',
    // An invalid UPSTREAM or DOMAIN_MAP has its own line.
    ({ upstream, domainMap }) =>
      upstream instanceof Refused ||
      domainMap instanceof Refused ||
      [upstream, ...upstreamsOf(domainMap)].some((url) => String(url).startsWith('https:')),
  );
}
