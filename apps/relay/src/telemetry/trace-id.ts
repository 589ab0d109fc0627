import { fieldValue } from '@relay/fields';

/** No tracer sends more; what is longer is not looked at. */
const MAX_TRACEPARENT_CHARACTERS = 512;
/** Version, trace id, parent id, flags; only versions to come may have more. Ids of nothing but zeros are none. */
const TRACEPARENT =
  /^(?:00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;

/**
 * The trace that a request belongs to, for the log; undefined where it names none, or not in the form of W3C Trace
 * Context section 3.2. The field itself is forwarded as it is, whatever it says.
 *
 * @param fields - name in lower case, value, …
 */
export function traceIdOf(fields: readonly string[]): string | undefined {
  const traceparent = fieldValue(fields, 'traceparent') ?? '';
  const isBounded = traceparent.length <= MAX_TRACEPARENT_CHARACTERS;
  const [, current, later] = (isBounded ? TRACEPARENT.exec(traceparent) : null) ?? [];
  return current ?? later;
}
