import { rawFieldValues } from '@relay/fields';
import type { RequestHead } from '@relay/protocol';

const DESTINATION = 'destination';
/** Without a host, or with a backslash or a blank in it, servers differ in where the path begins: then none is taken off. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\\s]+(?=[/?#]|$)/i;

/**
 * Every path that a request asks the API to act on: its own, and those to which WebDAV moves and copies (RFC 4918 section 10.3).
 * Limits on paths apply to all of them. What follows a question mark in a destination counts as path, because a destination has
 * no query, and some servers do not take one off.
 */
export function requestedPaths({ path, fields }: Pick<RequestHead, 'path' | 'fields'>): string[] {
  const destinations = rawFieldValues(fields, DESTINATION).map((url) =>
    url.replace(ORIGIN, '').replaceAll('?', '%3F'),
  );
  return [path, ...destinations];
}
