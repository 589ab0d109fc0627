/** A percent-encoded dot, slash or backslash, in any case. */
const ENCODED_DOT = /%2e/gi;
const ENCODED_SEPARATOR = /%(?:2f|5c)/gi;

/**
 * Whether an upstream could read a path as climbing out of where it seems to point: a `.` or `..` segment, plain or
 * percent-encoded, between plain or encoded slashes or backslashes, also with a `;parameter` behind it.
 *
 * @param path - with or without its query
 */
export function hasDotSegment(path: string): boolean {
  const separated = withoutQuery(path).replace(ENCODED_SEPARATOR, '/').replaceAll('\\', '/');
  return separated.split('/').some((segment) => {
    const [name = ''] = segment.replace(ENCODED_DOT, '.').split(';');
    return name === '.' || name === '..';
  });
}

/**
 * The path that route lists are compared with: decoded once, without its query.
 *
 * @returns undefined for a path that two servers could read differently: with dot segments, empty segments, encoded
 *   slashes or backslashes, malformed escapes, or escapes that are still there after decoding
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
    // No UTF-8 behind the escapes, or no escape at all: nothing that a route could name.
    return undefined;
  }
  const isAmbiguous = decoded.includes('//') || /[\\\0]|%[0-9a-f]{2}/i.test(decoded);
  return isAmbiguous ? undefined : decoded;
}

function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
