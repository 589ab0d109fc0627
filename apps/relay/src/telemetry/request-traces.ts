import type { SpanAttributes } from '../traces/tracer.js';
import type { Traces } from '../traces/traces.js';
import type { RequestRecord } from './request-record.js';

/** What of the end of a request its span says. */
interface TracedEnd {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly forwarded?: string | undefined;
}

/** What is known of a request that was never opened, or was refused before its head was read. */
const METHOD_UNKNOWN = 'HTTP';

/** Ends the span of a request. One that ended before its trace was begun has its span now, such as a refusal by a guard. */
export function endTrace(traces: Traces, record: RequestRecord, end: TracedEnd): void {
  const trace =
    record.trace ??
    traces.request({
      method: record.method ?? record.carriedBy ?? METHOD_UNKNOWN,
      fields: record.traceFields,
      startedAtMs: record.startedAtMs,
    });
  if (trace?.isRecorded === true) {
    trace.end({
      status: end.status ?? record.sentStatus,
      code: end.code,
      isCutOff: end.status === undefined,
      attributes: attributesOf(record, end),
    });
  }
}

/** Records the connection that a request was upgraded to. */
export function endConnection(record: RequestRecord, { code }: TracedEnd, ms: number): void {
  record.trace?.connectionEnded(performance.now() - ms, { code, attributes: partiesOf(record) });
}

function attributesOf(record: RequestRecord, { forwarded }: TracedEnd): SpanAttributes {
  return {
    ...partiesOf(record),
    'network.protocol.version': '1.1',
    'mte.forwarded': forwarded,
    'mte.attempt': record.attempt,
  };
}

function partiesOf(record: RequestRecord): SpanAttributes {
  return {
    'mte.role': record.role,
    'mte.peer': record.shownPeer,
    'mte.client': record.clientName,
    'mte.tenant': record.tenant,
  };
}
