import { type RawFields, withReplacedNamesakes, withoutNamesakes } from '@relay/fields';

import type { UpstreamSettings } from './upstream-settings.js';

/** Who asks for a request: a peer, whose message was verified, or anybody, on a pass-through route. */
export type Requester = 'peer' | 'anybody';

/**
 * The fields of a request as the upstream receives them. No field of a requester gets past this relay under a name that HEADERS
 * or REQUEST_HEADERS sets, nor under one that a server may take for it. REQUEST_HEADERS may contain credentials, which are not
 * lent to anybody.
 */
export function upstreamFields(
  fields: RawFields,
  { headers, requestHeaders }: Pick<UpstreamSettings, 'headers' | 'requestHeaders'>,
  requester: Requester,
): string[] {
  if (requester === 'peer') {
    return withReplacedNamesakes(fields, [...headers, ...requestHeaders]);
  }
  const withheld = requestHeaders.map(([name]) => name);
  return withReplacedNamesakes(withoutNamesakes(fields, withheld), headers);
}
