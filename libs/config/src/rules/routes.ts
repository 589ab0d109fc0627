import { Refused } from './rule.js';

/** A path with such a segment is refused, so a route with one would never match. */
const hasDotOrEmptySegment = (path: string): boolean =>
  path.includes('//') || /\/\.(?:[./;]|$)/.test(path);

/** Reads a route: an exact path, or a prefix if it ends in `*`. */
export function route(text: string): string | Refused {
  const problems: string[] = [];
  const path = text.replace(/\*$/, '');
  if (!path.startsWith('/')) {
    problems.push('must begin with "/"');
  }
  if (!/^[\x21-\x7e]*$/.test(path)) {
    problems.push('must be visible ASCII without spaces');
  }
  if (/[\\#?%]/.test(path)) {
    problems.push('must not contain "\\", "#", "?" or "%"');
  }
  if (path.includes('*')) {
    problems.push('may have "*" only as its last character');
  }
  if (hasDotOrEmptySegment(path)) {
    problems.push('must not have a segment that is "." or begins with "..", nor "//"');
  }
  return problems.length > 0 ? new Refused(...problems) : text;
}
