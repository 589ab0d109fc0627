import { RelayError } from '@relay/errors';
import { isClientGone } from '@relay/http';
import { HeadInvalidError, MAX_FIELDS, encodeRequestHead, type RequestHead } from '@relay/protocol';

import type { ClientRequest } from '../client/client-request.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import type { SpanAttributes } from '../traces/tracer.js';
import { causeOf } from './outcome-reason.js';
import { isProvenUnforwarded } from './retry-rule.js';
import type { AttemptOutcome } from './tunnel-attempt.js';
import { tunnelFailure } from './tunnel-failure.js';

/**
 * What the next attempt shares with the others. If the request is traced, the attempt has a span of its own, and seals a head
 * whose `traceparent` names it.
 *
 * @param encode - as the head is sealed
 */
export function tracedAttempt<Context extends { readonly request: ClientRequest }>(
  context: Context,
  record: RequestRecord,
  transport: 'message' | 'channel',
  encode: (head: RequestHead) => Buffer = encodeRequestHead,
): Context {
  const { trace } = record;
  if (trace === undefined) {
    return context;
  }
  const { head } = context.request;
  const attributes = trace.isRecorded ? attributesOf(record, transport) : undefined;
  record.attemptTrace = trace.call(head.method, record.peer ?? '', attributes);
  if (record.attemptTrace === undefined) {
    return context;
  }
  const fields = record.attemptTrace.fieldsOf(head.fields);
  if (fields.length > 2 * MAX_FIELDS) {
    return context;
  }
  try {
    const traced = { ...head, fields };
    return { ...context, request: { head: traced, headBytes: encode(traced) } };
  } catch (error) {
    if (error instanceof HeadInvalidError) {
      // The client's head has no room for the field. That is no reason to refuse the request.
      return context;
    }
    throw error;
  }
}

function attributesOf(record: RequestRecord, transport: 'message' | 'channel'): SpanAttributes {
  const attempt = (record.attempt ?? 0) + 1;
  return {
    'http.request.resend_count': attempt > 1 ? attempt - 1 : undefined,
    'network.protocol.version': '1.1',
    'mte.role': 'outbound',
    'mte.peer': record.shownPeer,
    'mte.client': record.clientName,
    'mte.transport': transport,
    'mte.attempt': attempt,
  };
}

/**
 * Ends the span of an attempt, if it has one.
 *
 * @param sentStatus - of the response to the client, if that has begun
 */
export function endTracedAttempt(
  record: RequestRecord,
  outcome: AttemptOutcome,
  sentStatus: number | undefined,
): void {
  record.sentStatus = sentStatus;
  const { attemptTrace } = record;
  if (attemptTrace === undefined) {
    return;
  }
  record.attemptTrace = undefined;
  if (outcome.kind === 'completed') {
    attemptTrace.end({ status: outcome.status });
    return;
  }
  const isCutOff = outcome.kind === 'cut-off';
  const forwarded = !isCutOff && isProvenUnforwarded(outcome) ? 'no' : 'maybe';
  const code = isCutOff ? 'RELAY_PEER_CONNECTION_LOST' : tunnelFailure(outcome, forwarded).code;
  const cause = causeOf(outcome);
  attemptTrace.end({
    status: sentStatus,
    code: isClientGone(cause) && cause instanceof RelayError ? cause.code : code,
    attributes: { 'mte.forwarded': forwarded },
  });
}
