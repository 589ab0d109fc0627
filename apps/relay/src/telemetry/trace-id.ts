import type { RawFields } from '@relay/fields';

import { traceParentOf } from '../traces/traceparent.js';

/**
 * The id of the trace that a request belongs to, for the log.
 *
 * @param fields - name in lower case, value, …
 * @returns undefined if the request has no trace id in the form of W3C Trace Context section 3.2
 */
export function traceIdOf(fields: RawFields): string | undefined {
  return traceParentOf(fields)?.traceId;
}
