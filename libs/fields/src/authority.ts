/** The longest authority: what the longest host name and a port need. protocol.md section 6. */
const MAX_AUTHORITY_OCTETS = 255;
const MAX_PORT = 65_535;

/**
 * A name, an IPv4 address, or an IPv6 address in brackets; then a port. Of the characters that RFC 3986 allows in a name,
 * those are left out that no resolvable name has and that separate elements in other fields, such as commas.
 */
const AUTHORITY = /^(?:[A-Za-z0-9\-._~]+|(\[[0-9A-Fa-f:.]+\]))(?::([1-9]\d{0,4}))?$/;

/**
 * Whether a text is `host` or `host:port`, as a host field may have it: without user name, zone, empty port or leading zeros.
 * RFC 9110 section 7.2, RFC 3986 section 3.2.2.
 */
export function isAuthority(text: string): boolean {
  if (text.length > MAX_AUTHORITY_OCTETS) {
    return false;
  }
  const [match, ipv6, port = '1'] = AUTHORITY.exec(text) ?? [];
  return (
    match !== undefined &&
    Number(port) <= MAX_PORT &&
    (ipv6 === undefined || URL.canParse(`http://${ipv6}`))
  );
}

/** Names and addresses that lead to the machine itself: RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\]|::1)$/i;

/** @param host - a name, or an IP address as `normalAuthority` has it, with or without brackets */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

const EMPTY_LABEL = /^\.|\.\./;

/**
 * The one spelling by which authorities of http URLs are compared: in lower case and punycode, IP addresses in their shortest
 * form, without the dot that ends an absolute name, and always with a port. RFC 3986 section 6.2.
 *
 * @returns undefined if the text is no authority, or nothing can have its name
 */
export function normalAuthority(text: string): string | undefined {
  if (!isAuthority(text) || !URL.canParse(`http://${text}`)) {
    return undefined;
  }
  const { hostname, port } = new URL(`http://${text}`);
  // The parser of URLs takes them for names, which nothing resolves.
  if (EMPTY_LABEL.test(hostname)) {
    return undefined;
  }
  return `${hostname.replace(/\.$/, '')}:${port === '' ? '80' : port}`;
}
