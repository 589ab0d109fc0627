import { HOP_BY_HOP_FIELDS, type RawFields } from '@relay/protocol';

import { textOf } from './raw-fields.js';

/** What a relay makes itself on every connection, besides the hop-by-hop fields. */
const OWN_FIELDS = new Set(['expect', 'host']);
const RELAY_FIELD_PREFIX = 'x-mte-';

/**
 * What of a message's fields goes on: in their order, with repeats, names in lower case; without hop-by-hop fields,
 * whatever `connection` names, host, expect and x-mte-*. RFC 9110 section 7.6.1.
 *
 * @param raw - name, value, name, value, … as Node.js and undici report them
 * @returns a new array that the caller owns
 */
export function forwardedFields(raw: readonly (string | Buffer)[]): string[] {
  const fields: string[] = [];
  let named: Set<string> | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = textOf(raw[at]).toLowerCase();
    if (name === 'connection') {
      named = connectionOptions(textOf(raw[at + 1]), named);
    } else if (
      !HOP_BY_HOP_FIELDS.has(name) &&
      !OWN_FIELDS.has(name) &&
      !name.startsWith(RELAY_FIELD_PREFIX)
    ) {
      fields.push(name, textOf(raw[at + 1]));
    }
  }
  return named === undefined ? fields : withoutFields(fields, named);
}

/** The first value of a field, or undefined. */
export function fieldValue(fields: RawFields, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === name) {
      return fields[at + 1];
    }
  }
  return undefined;
}

/** Replaces fields: a name of `replacements` takes the place of every line that the message had of it. */
export function withReplacedFields(
  fields: string[],
  replacements: readonly (readonly [name: string, value: string])[],
): string[] {
  if (replacements.length === 0) {
    return fields;
  }
  const names = new Set(replacements.map(([name]) => name));
  return [...withoutFields(fields, names), ...replacements.flat()];
}

/** Drops every line of the given names. */
export function withoutFields(fields: RawFields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (!names.has(name)) {
      kept.push(name, fields[at + 1] ?? '');
    }
  }
  return kept;
}

/**
 * The options of a connection field that name other fields. A sender may not use it to strip what frames the message:
 * content-length is end-to-end whatever it says.
 */
function connectionOptions(value: string, found = new Set<string>()): Set<string> {
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase();
    if (name !== '' && name !== 'close' && name !== 'keep-alive' && name !== 'content-length') {
      found.add(name);
    }
  }
  return found;
}
