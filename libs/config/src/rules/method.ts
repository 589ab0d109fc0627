import { Refused } from './rule.js';

/** Reads a method as it appears in a request line: a token in capital letters. RFC 9110 section 9.1. */
export function method(text: string): string | Refused {
  return /^[A-Z][A-Z-]*$/.test(text) ? text : new Refused('must be a method in capital letters');
}
