import { rawFieldValues } from '@relay/fields';
import type { RequestHead } from '@relay/protocol';

const DESTINATION = 'destination';
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/**
 * Every path that a request asks the API to act on: its own, and those to which WebDAV moves and copies (RFC 4918 section 10.3).
 * Limits on paths apply to all of them.
 */
export function requestedPaths({ path, fields }: Pick<RequestHead, 'path' | 'fields'>): string[] {
  return [path, ...rawFieldValues(fields, DESTINATION).map((url) => url.replace(ORIGIN, ''))];
}
