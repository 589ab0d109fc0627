import type { HeaderField } from './headers.js';
import { Refused } from './rule.js';

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** Reads `name=value,name=value` with percent-encoded values, as the variables of OpenTelemetry have it. */
export function keyValues(text: string): readonly HeaderField[] | Refused {
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split(',').map((entry) => entry.trim())) {
    if (part === '') {
      continue;
    }
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(at, 0)).trim();
    const value = decoded(part.slice(at + 1).trim());
    if (name === '' || value === undefined) {
      return new Refused(
        'must be a list of name=value, separated by commas, with percent-encoded values',
      );
    }
    pairs.push([name, value]);
  }
  return pairs;
}

/** As `keyValues`, for fields of a request. The names become lower case. */
export function fieldKeyValues(text: string): readonly HeaderField[] | Refused {
  const pairs = keyValues(text);
  if (pairs instanceof Refused) {
    return pairs;
  }
  return pairs.every(([name, value]) => FIELD_NAME.test(name) && FIELD_VALUE.test(value))
    ? pairs.map(([name, value]) => [name.toLowerCase(), value] as const)
    : new Refused('must name header fields, with values of visible ASCII and spaces');
}
