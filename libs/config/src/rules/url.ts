import { Refused } from './rule.js';

/** RFC 3986 pchar without "%": such a path is the same here and in the request line. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]*$/;

const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

const splitHttpUrl = (text: string): { origin: string; path: string } | Refused => {
  if (text.includes('?')) {
    return new Refused('must not have a query');
  }
  if (text.includes('#')) {
    return new Refused('must not have a fragment');
  }
  const [, authority, path] = /^https?:\/\/([^/\\\s]+)(.*)$/i.exec(text) ?? [];
  if (authority === undefined || path === undefined || !URL.canParse(text)) {
    return new Refused('must be an http or https URL');
  }
  if (authority.includes('@')) {
    return new Refused('must not have a user name or password');
  }
  // The URL parser accepts "*" in a host name, but nothing here matches it as a wildcard.
  if (authority.includes('*')) {
    return new Refused('must name one host, without a wildcard');
  }
  return { origin: new URL(text).origin, path };
};

/** Reads an http or https origin and returns its normal form: lower case, punycode, no default port. */
export function origin(text: string): string | Refused {
  const url = splitHttpUrl(text);
  if (url instanceof Refused) {
    return url;
  }
  return url.path === '' || url.path === '/' ? url.origin : new Refused('must not have a path');
}

/** Reads an http or https URL that is used as it is, with its query and a slash at its end. */
export function exactUrl(text: string): string | Refused {
  if (text.includes('#')) {
    return new Refused('must not have a fragment');
  }
  const [beforeQuery = ''] = text.split('?');
  const url = splitHttpUrl(beforeQuery);
  if (url instanceof Refused) {
    return url;
  }
  return VISIBLE_ASCII.test(text) ? text : new Refused('must consist of visible ASCII characters');
}

/** Reads an http or https URL with an optional base path, and returns its normal form without a trailing slash. */
export function baseUrl(text: string): string | Refused {
  const url = splitHttpUrl(text);
  if (url instanceof Refused) {
    return url;
  }
  const basePath = url.path.replace(/\/$/, '');
  const isPlain = PLAIN_PATH.test(basePath) && !basePath.includes('//') && !url.path.endsWith('//');
  if (!isPlain || basePath.split('/').some((segment) => segment === '.' || segment === '..')) {
    return new Refused(
      'must have a plain base path: no empty, "." or ".." segment, no "%" or "\\", no character that a URL escapes',
    );
  }
  return url.origin + basePath;
}
