import {
  CLIENT_ADDRESS_FIELD,
  CLIENT_NAME_FIELD,
  TUNNEL_PATH,
  type RequestHead,
} from '@relay/protocol';

import type { EncodeOptions } from './encode-options.js';

const MAX_COPIED_BYTES = 8_192;
const RELAY_PATH_PREFIX = '/api/mte-';

/**
 * Never copied, whatever a client asks for: credentials, what would allow an intermediary to code the response, and what is
 * for the other relay alone. Hop-by-hop fields, host, expect and other x-mte-* have been removed before.
 */
const NEVER_COPIED = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'accept-encoding',
  CLIENT_ADDRESS_FIELD,
  CLIENT_NAME_FIELD,
]);
const NEVER_COPIED_PREFIX = 'content-';

/** The path of the outer request. It is at most a copy of the sealed path, and no relay acts on it. protocol.md section 2. */
export function outerPath(head: RequestHead, options: EncodeOptions): string {
  const isShown = !options.isPathSealed && !head.path.toLowerCase().startsWith(RELAY_PATH_PREFIX);
  return isShown ? head.path : TUNNEL_PATH;
}

/** Copies of sealed fields that the outer request carries in plaintext. No relay acts on them. */
export function clearCopies(head: RequestHead, { sealedFields }: EncodeOptions): string[] {
  if (sealedFields === true) {
    return [];
  }
  const copies: string[] = [];
  let bytes = 0;
  for (let at = 0; at < head.fields.length; at += 2) {
    const name = head.fields[at] ?? '';
    const value = head.fields[at + 1] ?? '';
    const isSealed = sealedFields !== false && sealedFields.has(name);
    if (!isSealed && !NEVER_COPIED.has(name) && !name.startsWith(NEVER_COPIED_PREFIX)) {
      copies.push(name, value);
      bytes += name.length + value.length;
    }
  }
  return bytes > MAX_COPIED_BYTES ? [] : copies;
}
