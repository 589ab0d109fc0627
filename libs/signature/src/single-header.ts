import type { IncomingMessage } from 'node:http';

import { RelayHeaderMissingError } from './signature.errors.js';

/**
 * The header's value as it stood on the wire. Two of the same name arrive joined with a comma, which no relay header's
 * pattern matches.
 *
 * @throws RelayHeaderMissingError
 */
export function singleHeader(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  if (typeof value !== 'string') {
    throw new RelayHeaderMissingError(`${name} is missing`);
  }
  return value;
}
