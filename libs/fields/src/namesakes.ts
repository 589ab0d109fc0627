import type { RawFields } from './fields.js';

/**
 * The name as CGI, WSGI and their like hand it to an application (RFC 3875 section 4.1.18), without `HTTP_` and in lower case:
 * two fields with one such name are one variable there. The RFC folds only `-`, but lighttpd, among others, folds every
 * character that is neither a letter nor a digit.
 *
 * @param name - in lower case
 */
export function variableName(name: string): string {
  return name.replace(/[^a-z0-9]/g, '_');
}

/** Removes every line whose name a server may take for one of the given names, such as `x_api_key` for `x-api-key`. */
export function withoutNamesakes(fields: RawFields, names: readonly string[]): string[] {
  if (names.length === 0) {
    return [...fields];
  }
  const variables = new Set(names.map(variableName));
  return fields.filter((_, at) => !variables.has(variableName(fields[at - (at % 2)] ?? '')));
}

/** Replaces fields, and removes those that a server may take for one of them. */
export function withReplacedNamesakes(
  fields: RawFields,
  replacements: readonly (readonly [name: string, value: string])[],
): string[] {
  const names = replacements.map(([name]) => name);
  return [...withoutNamesakes(fields, names), ...replacements.flat()];
}
