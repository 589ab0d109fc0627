import { Refused } from './rule.js';

/** Reads the name of a protocol, perhaps with its version, as it stands in an `upgrade` field. RFC 9110 section 7.8. */
export function protocol(text: string): string | Refused {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/.test(text)
    ? text.toLowerCase()
    : new Refused('must be the name of a protocol, such as websocket');
}
