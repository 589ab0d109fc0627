import type { RawFields } from '@relay/fields';

/** What spans say. Never a path, a query, a header value, a token, a key or a body. */
export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** How what a span describes ended. */
export interface SpanEnd {
  /** The status of the response, if there was one. */
  readonly status?: number | undefined;
  /** The error code, if there was one. */
  readonly code?: string | undefined;
  /** Whether the response broke off after its status had been sent. */
  readonly isCutOff?: boolean;
  readonly attributes?: SpanAttributes;
}

/** A call to another server on behalf of a request, or of this relay itself. */
export interface CallTrace {
  /** The fields to send: those of the request, with this call as parent of what follows. */
  fieldsOf(fields: RawFields): RawFields;
  end(end: SpanEnd): void;
}

/** A request that this relay serves. */
export interface RequestTrace {
  /** The id of its trace, which this relay or its caller has begun. */
  readonly traceId: string;
  /** Whether there are spans. What they say need not be gathered otherwise. */
  readonly isRecorded: boolean;
  /** Begins a call on behalf of the request; undefined if its fields are sent as they are, and nothing is recorded. */
  call(method: string, origin: string, attributes?: SpanAttributes): CallTrace | undefined;
  /** The connection has ended that the request was upgraded to. */
  connectionEnded(startedAtMs: number, end: SpanEnd): void;
  /** The request has ended. */
  end(end: SpanEnd): void;
}

/** What a trace of a request begins with. */
export interface TracedRequest {
  /** Of the request in plaintext, or of the request that carries it if it could not be opened. */
  readonly method: string;
  /** The fields of which `traceparent` is one; none if they are not known. */
  readonly fields: RawFields;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
}

/** Makes spans, and sends them to a collector. */
export interface Tracer {
  request(request: TracedRequest): RequestTrace;
  /** Begins a call of this relay itself, which is a trace of its own; undefined if it is not recorded. */
  call(method: string, origin: string, attributes?: SpanAttributes): CallTrace | undefined;
  /** Sends what is left, for at most this time. */
  shutdown(limitMs: number): Promise<void>;
}
