/** Field lines as Node.js has them: name, value, name, value, … Order and repeats are kept; values are octets (latin1). */
export type RawFields = readonly string[];

/** Fields that apply to one connection only: RFC 9110 section 7.6.1, and the historic ones. */
export const HOP_BY_HOP_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The first value of a field, or undefined if the message does not have the field. */
export function fieldValue(fields: RawFields, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === name) {
      return fields[at + 1];
    }
  }
  return undefined;
}

/** Replaces fields: each name in `replacements` takes the place of every line with that name. */
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

/** Removes every line that has one of the given names. */
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
