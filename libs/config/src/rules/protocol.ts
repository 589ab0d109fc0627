import { Refused } from './rule.js';

/** Protocols in which requests would follow that no relay sees, and so no rule for routes or fields holds. */
const CARRIES_REQUESTS = /^(?:h2c?|h3|http|https|tls)(?:\/|$)/;

/** Reads the name of a protocol, perhaps with its version, as it stands in an `upgrade` field. RFC 9110 section 7.8. */
export function protocol(text: string): string | Refused {
  const name = text.toLowerCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/.test(name)) {
    return new Refused('must be the name of a protocol, such as websocket');
  }
  return CARRIES_REQUESTS.test(name)
    ? new Refused('must not be a version of HTTP or TLS: requests inside it would pass unseen')
    : name;
}
