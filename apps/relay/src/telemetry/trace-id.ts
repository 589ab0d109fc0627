import { fieldValue } from '@relay/fields';

/** No tracer sends more than this; longer values are ignored. */
const MAX_TRACEPARENT_CHARACTERS = 512;
/** Version, trace id, parent id, flags; only future versions may have more. Ids of only zeros are invalid. */
const TRACEPARENT =
  /^(?:00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;

/**
 * The id of the trace that a request belongs to, for the log. The field itself is forwarded unchanged, whatever its value.
 *
 * @param fields - name in lower case, value, …
 * @returns undefined if the request has no trace id in the form of W3C Trace Context section 3.2
 */
export function traceIdOf(fields: readonly string[]): string | undefined {
  const traceparent = fieldValue(fields, 'traceparent') ?? '';
  const isBounded = traceparent.length <= MAX_TRACEPARENT_CHARACTERS;
  const [, current, later] = (isBounded ? TRACEPARENT.exec(traceparent) : null) ?? [];
  return current ?? later;
}
