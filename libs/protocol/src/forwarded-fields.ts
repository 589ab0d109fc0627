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
    } else if (isForwardedField(name) && !FRAMING_LOOKALIKES.has(name)) {
      fields.push(name, textOf(raw[at + 1]));
    }
  }
  return named === undefined ? fields : withoutFields(fields, named);
}

/** Names that CGI and similar servers read as the fields that frame a body: to them, `_` and `-` are the same. */
const FRAMING_LOOKALIKES = new Set(['transfer_encoding', 'content_length']);

/**
 * Fields that are meant for every recipient, so no connection field may name them: RFC 9110 section 7.6.1. Otherwise a sender
 * could remove what frames a body, who sends a request, or where it came from, before the upstream sees it.
 */
const END_TO_END =
  /^(?:authorization|cookie|set-cookie|cache-control|host|content-.*|x-forwarded-.*)$/;

/** The options of a connection field that name other fields. */
function connectionOptions(value: string, found = new Set<string>()): Set<string> {
  for (const option of value.split(',')) {
    const name = option.trim().toLowerCase();
    if (name !== '' && name !== 'close' && name !== 'keep-alive' && !END_TO_END.test(name)) {
      found.add(name);
    }
  }
  return found;
}
