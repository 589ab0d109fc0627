/** A percent-encoded dot, in upper or lower case. */
const ENCODED_DOT = /%2e/gi;
/** A percent-encoded slash or backslash, in upper or lower case. */
const ENCODED_SEPARATOR = /%(?:2f|5c)/gi;

/**
 * Whether an upstream could resolve a path to a different place than it appears to name, because of a `.` or `..` segment. The
 * dots and the slashes or backslashes around the segment may be plain or percent-encoded, and a `;parameter` may follow it.
 *
 * @param path - with or without the query
 */
export function hasDotSegment(path: string): boolean {
  const separated = withoutQuery(path).replace(ENCODED_SEPARATOR, '/').replaceAll('\\', '/');
  return separated.split('/').some((segment) => {
    const [name = ''] = segment.replace(ENCODED_DOT, '.').split(';');
    return name === '.' || name === '..';
  });
}

/**
 * The form of a path that is compared with route lists: decoded once, without the query.
 *
 * @returns undefined for a path that two servers could interpret differently: one with dot segments, empty segments,
 *   backslashes, encoded slashes, malformed escapes, or escapes that remain after decoding
 */
export function canonicalPath(path: string): string | undefined {
  const raw = withoutQuery(path);
  if (hasDotSegment(raw) || raw.search(ENCODED_SEPARATOR) !== -1) {
    return undefined;
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // The escapes are malformed or do not encode UTF-8, so no route can name this path.
    return undefined;
  }
  const isAmbiguous = decoded.includes('//') || /[\\\0]|%[0-9a-f]{2}/i.test(decoded);
  return isAmbiguous ? undefined : decoded;
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
