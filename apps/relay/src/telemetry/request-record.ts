import type { IncomingMessage } from 'node:http';

import { shownName, type Grant } from '@relay/config';

import type { CallTrace, RequestTrace } from '../traces/tracer.js';
import { traceIdOf } from './trace-id.js';

/** The role in which this relay serves a request; `none` if the request could not even be read. */
export type Role = 'outbound' | 'inbound' | 'pairing' | 'pass-through' | 'own' | 'none';

/**
 * Everything that the log and the metrics report about one request. Request routing begins the record, and the role that serves
 * the request completes it. All roles use the same fields in the same sense.
 */
export class RequestRecord {
  /** On the clock of `performance.now()`. */
  readonly startedAtMs = performance.now();
  /** Origin of the other relay, or its name if it has sent the request and its entry has one. */
  peer: string | undefined;
  /** Name of the peer that is called. */
  peerName: string | undefined;
  /** Name of the tenant that is reached without a token. */
  tenant: string | undefined;
  /** The client that was admitted, and its token. */
  grant: Grant | undefined;
  /** Only if this side received it in plaintext. */
  method: string | undefined;
  /** Name of the message, the same in both relays' logs. */
  exchange: string | undefined;
  /** How often the request was sealed and sent: at most twice to each origin of the peer. */
  attempt: number | undefined;
  /** 2 if the request was sent to the upstream a second time. */
  upstreamAttempt: number | undefined;
  /** Bytes of the plaintext bodies, received and sent. */
  bytesIn: number | undefined;
  bytesOut: number | undefined;
  /** Bytes of the sealed messages, received and sent, heads included. For metrics only. */
  sealedIn: number | undefined;
  sealedOut: number | undefined;

  /** Method of the request that carries what is sealed. For traces only. */
  carriedBy: string | undefined;
  /** Only if there are traces, and the head of the request has been read. */
  trace: RequestTrace | undefined;
  /** Of a response that has begun, whether or not it is completed. For traces only. */
  sentStatus: number | undefined;
  /** The attempt that is under way, if it is traced. */
  attemptTrace: CallTrace | undefined;

  private knownTraceId: string | undefined;

  /** @param traceparent - of the head that this side received in plaintext, if it has one */
  constructor(
    readonly requestId: string,
    readonly role: Role,
    private traceparent?: string,
  ) {}

  /** The name of the client; undefined if its entry has none. */
  get clientName(): string | undefined {
    return this.grant === undefined ? undefined : shownName(this.grant.client.name);
  }

  /** What is known of the trace before the head is read by a role. */
  get traceFields(): readonly string[] {
    return this.traceparent === undefined ? [] : ['traceparent', this.traceparent];
  }

  /** The peer as spans name it: by its name if it has one, else by its origin. */
  get shownPeer(): string | undefined {
    return this.peerName === '' ? this.peer : (this.peerName ?? this.peer);
  }

  /** Read only when a line is written, because most heads are read by a role as well, which then sets it. */
  get traceId(): string | undefined {
    return this.traceparent === undefined ? this.knownTraceId : traceIdOf(this.traceFields);
  }

  set traceId(traceId: string | undefined) {
    this.knownTraceId = traceId;
    this.traceparent = undefined;
  }
}

/** The client of a request that ClientGuard has admitted. @throws Error if it has not, which would be a mistake in the wiring */
export function grantOf({ grant }: RequestRecord): Grant {
  if (grant === undefined) {
    throw new Error('the client of this request was not admitted');
  }
  return grant;
}

/**
 * The record is a property of its request. A WeakMap would not do: until the next full collection, the garbage collector treats
 * the values of a WeakMap as alive, and each record would keep its request alive with it.
 */
const RECORD = Symbol('request record');

interface RecordedRequest extends IncomingMessage {
  [RECORD]?: RequestRecord;
}

/** Whether another relay has sent the request, or somebody who appears to be one. */
export function isFromRelay({ role }: RequestRecord): boolean {
  return role === 'inbound' || role === 'pairing';
}

/** Begins the record of a request with what its head contains. The head of a message is not used: the real one is sealed. */
export function beginRecord(request: IncomingMessage, requestId: string, role: Role): void {
  const isPlaintext = role !== 'inbound' && role !== 'pairing';
  const { traceparent } = request.headers;
  const isRead = isPlaintext && typeof traceparent === 'string';
  const record = new RequestRecord(requestId, role, isRead ? traceparent : undefined);
  if (isPlaintext) {
    record.method = request.method;
  } else {
    record.carriedBy = request.method;
  }
  (request as RecordedRequest)[RECORD] = record;
}

/** The record of a request that was routed. @throws Error if it was not, which would be a mistake in the wiring */
export function recordOf(request: IncomingMessage): RequestRecord {
  const record = (request as RecordedRequest)[RECORD];
  if (record === undefined) {
    throw new Error('this request was not routed, so it has no record');
  }
  return record;
}
