import { HOP_BY_HOP_FIELDS, textOf, withoutFields } from '@relay/fields';

/** Fields that a relay sets itself on every connection, besides the hop-by-hop fields. */
const OWN_FIELDS = new Set(['expect', 'host']);
const RELAY_FIELD_PREFIX = 'x-mte-';

/**
 * Whether a field may travel from one end of the tunnel to the other: not the fields of one connection, those that a relay
 * sets itself, or `x-mte-*`.
 *
 * @param name - in lower case
 */
export function isForwardedField(name: string): boolean {
  return (
    !HOP_BY_HOP_FIELDS.has(name) && !OWN_FIELDS.has(name) && !name.startsWith(RELAY_FIELD_PREFIX)
  );
}

/**
 * The fields of a request or response that are forwarded: in their order, with repeats, names in lower case; without
 * hop-by-hop fields, those that `connection` names, host, expect and x-mte-*. RFC 9110 section 7.6.1.
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
    } else if (isForwardedField(name)) {
      fields.push(name, textOf(raw[at + 1]));
    }
  }
  return named === undefined ? fields : withoutFields(fields, named);
}

/**
 * The options of a connection field that name other fields. A sender may not use it to remove what frames the body:
 * content-length is an end-to-end field even if it is named here.
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
