import type { RawFields } from '@relay/fields';

/** No tracer sends more than this; longer values are ignored. */
const MAX_TRACEPARENT_CHARACTERS = 512;
/** Version, trace id, parent id, flags; only future versions may have more. Ids of only zeros are invalid. */
const TRACEPARENT =
  /^(?:00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})|(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?)$/;
const SAMPLED = 1;

const TRACEPARENT_NAME: ReadonlySet<string> = new Set(['traceparent']);
const TRACE_CONTEXT_NAMES: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** The span of whoever calls. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/**
 * Reads what a request says about its trace. W3C Trace Context sections 3.2 and 4.3.
 *
 * @param fields - name in lower case, value, …
 * @returns undefined if the request has no `traceparent`, more than one, or one in another form
 */
export function traceParentOf(fields: RawFields): TraceParent | undefined {
  let traceparent: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === 'traceparent') {
      if (traceparent !== undefined) {
        return undefined;
      }
      traceparent = fields[at + 1] ?? '';
    }
  }
  if (traceparent === undefined || traceparent.length > MAX_TRACEPARENT_CHARACTERS) {
    return undefined;
  }
  const match = TRACEPARENT.exec(traceparent);
  if (match === null) {
    return undefined;
  }
  const traceId = match[1] ?? match[4] ?? '';
  const spanId = match[2] ?? match[5] ?? '';
  const flags = match[3] ?? match[6] ?? '';
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** The fields with this `traceparent` in the place of all others. */
export function withTraceparent(fields: RawFields, traceparent: string): RawFields {
  return replaced(fields, traceparent, TRACEPARENT_NAME);
}

/** As `withTraceparent`, for a new trace: the `tracestate` of another one does not belong to it. */
export function withNewTraceparent(fields: RawFields, traceparent: string): RawFields {
  return replaced(fields, traceparent, TRACE_CONTEXT_NAMES);
}

function replaced(fields: RawFields, traceparent: string, names: ReadonlySet<string>): RawFields {
  const others: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (!names.has(name)) {
      others.push(name, fields[at + 1] ?? '');
    }
  }
  others.push('traceparent', traceparent);
  return others;
}
