import { Refused } from './rule.js';

/** A method as it stands in a request line: a token in capitals. RFC 9110 section 9.1 */
export function method(text: string): string | Refused {
  return /^[A-Z][A-Z-]*$/.test(text) ? text : new Refused('must be a method in capital letters');
}
