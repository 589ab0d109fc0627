import { withoutFields, type RawFields } from '@relay/fields';

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
  const at = fields.indexOf('traceparent');
  const values = at === -1 ? [] : valuesOf(fields);
  const [traceparent = '', another] = values;
  if (another !== undefined || traceparent.length > MAX_TRACEPARENT_CHARACTERS) {
    return undefined;
  }
  const groups = TRACEPARENT.exec(traceparent)?.slice(1).filter(Boolean) ?? [];
  const [traceId, spanId, flags] = groups;
  return traceId === undefined || spanId === undefined || flags === undefined
    ? undefined
    : { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** The fields with this `traceparent` in the place of all others. */
export function withTraceparent(fields: RawFields, traceparent: string): RawFields {
  return [...withoutFields(fields, TRACEPARENT_NAME), 'traceparent', traceparent];
}

/** As `withTraceparent`, for a new trace: the `tracestate` of another one does not belong to it. */
export function withNewTraceparent(fields: RawFields, traceparent: string): RawFields {
  return [...withoutFields(fields, TRACE_CONTEXT_NAMES), 'traceparent', traceparent];
}

function valuesOf(fields: RawFields): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1] === 'traceparent');
}
