import { Refused } from '../../rules/rule.js';

/** Reads the URL of an egress proxy, perhaps with a user name and a password. */
export function proxyUrl(text: string): string | Refused {
  const isProxy =
    /^https?:\/\/[^/\\\s?#]+\/?$/i.test(text) &&
    URL.canParse(text) &&
    new URL(text).hostname !== '';
  return isProxy
    ? text.replace(/\/$/, '')
    : new Refused('must be an http or https URL without a path');
}
