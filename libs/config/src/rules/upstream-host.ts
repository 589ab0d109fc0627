import { isAuthority } from '@relay/fields';

import { Refused } from './rule.js';

/** In any other case they would be fixed hosts, which is hardly what was meant. */
const WORDS = /^(?:upstream|client)$/i;

/** Reads `UPSTREAM_HOST`: one of two words, or a fixed `host[:port]`. */
export function upstreamHost(text: string): string | Refused {
  const isFine = WORDS.test(text) ? text === text.toLowerCase() : isAuthority(text);
  return isFine ? text : new Refused('must be "upstream", "client" or a host[:port]');
}
