import type { IncomingMessage } from 'node:http';

import { RelayHeaderMissingError } from './signature.errors.js';

/**
 * Returns the value of a header as it was on the wire. Node.js joins several fields of one name with a comma, which the
 * pattern of no relay header matches.
 *
 * @throws RelayHeaderMissingError if the request does not have the header
 */
export function singleHeader(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  if (typeof value !== 'string') {
    throw new RelayHeaderMissingError(`${name} is missing`);
  }
  return value;
}
