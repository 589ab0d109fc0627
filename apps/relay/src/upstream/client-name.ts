import { fieldValue, withReplacedNamesakes, withoutNamesakes } from '@relay/fields';
import { CLIENT_NAME_FIELD, type RequestHead } from '@relay/protocol';

import type { Requester } from './upstream-fields.js';

/**
 * The fields of a request with the one in which the API is told the name of the client. Only the relay that the client called
 * knows it, and has sealed it into the head; whatever a requester has under the name of that field, or under one that a server
 * may take for it, is dropped, also if there is nothing to put in its place.
 *
 * @param fields - of the request, without what is only for relays
 * @param head - as it was sealed
 * @param field - the name of the field, in lower case; undefined if the API is not told
 */
export function withClientName(
  fields: string[],
  head: RequestHead,
  field: string | undefined,
  requester: Requester,
): string[] {
  if (field === undefined) {
    return fields;
  }
  // On a pass-through route nothing is sealed.
  const name = requester === 'peer' ? fieldValue(head.fields, CLIENT_NAME_FIELD) : undefined;
  return name === undefined
    ? withoutNamesakes(fields, [field])
    : withReplacedNamesakes(fields, [[field, name]]);
}
