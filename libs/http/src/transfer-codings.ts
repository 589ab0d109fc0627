import { rawFieldValues } from '@relay/fields';

/** The transfer codings that a head states, in order. */
export function transferCodings(rawFields: readonly (string | Buffer)[]): readonly string[] {
  const values = rawFieldValues(rawFields, 'transfer-encoding');
  return values.length === 0
    ? values
    : values.flatMap((value) => value.split(',')).map((coding) => coding.trim().toLowerCase());
}

/**
 * undici decodes a single chunked coding, if it is the last. Without their field, which is not forwarded, all others would be
 * taken for the content. `identity`, of RFC 2616, means none, and was sent by servers of that time.
 */
export function hasUndecodedCoding(codings: readonly string[]): boolean {
  return codings.some(
    (coding, at) => coding !== 'identity' && !(coding === 'chunked' && at === codings.length - 1),
  );
}
