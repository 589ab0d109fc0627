import { randomUUID } from 'node:crypto';

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
  type Context,
  type Span,
  type SpanContext,
  type Tracer as ApiTracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_NAME,
} from '@opentelemetry/semantic-conventions';
import type { RelayConfig } from '@relay/config';
import type { RawFields } from '@relay/fields';

import { samplerOf } from './sampler.js';
import { SpanQueue, type ExportEvents } from './span-export.js';
import { traceParentOf, withNewTraceparent, withTraceparent } from './traceparent.js';
import type {
  CallTrace,
  RequestTrace,
  SpanAttributes,
  SpanEnd,
  TracedRequest,
  Tracer,
} from './tracer.js';
import { UnchangedTrace, UnrecordedTrace } from './unrecorded.js';

const SERVICE_NAME = 'mte-api-relay';
/** Export requests at the same time, each with one batch. Few spans in each are no reason to refuse one. */
const LEAST_EXPORTS = 8;
/** Whoever waited has gone away, which is how every event stream ends: no error of anybody. */
const GONE_CODES: ReadonlySet<string> = new Set(['RELAY_CLIENT_GONE', 'RELAY_PEER_GONE']);
/** Methods as names of spans; a client may invent others, and each would be a name of its own. */
const METHODS = new Set('GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY'.split(' '));

/** Traces with the SDK of OpenTelemetry. This file is loaded only if there is a collector. */
export class SdkTracer implements Tracer {
  private readonly queue: SpanQueue;
  private readonly provider: TracerProvider;
  private readonly tracer: ApiTracer;
  /** Whether a caller that does not record its trace is obeyed without asking the sampler. */
  private readonly isParentBased: boolean;

  /** @param url - of the collector */
  constructor(
    config: RelayConfig,
    url: string,
    private readonly events: ExportEvents,
  ) {
    const maxExportBatchSize = Math.min(config.otelMaxBatchSize, config.otelMaxQueueSize);
    // At a stop, all that waits is exported at once. The queue limits how much that is.
    const maxBatches = Math.ceil(config.otelMaxQueueSize / maxExportBatchSize) + 1;
    this.queue = new SpanQueue(exporterOf(config, url, maxBatches), events, {
      maxQueueSize: config.otelMaxQueueSize,
      maxExportBatchSize,
      scheduledDelayMillis: config.otelScheduleDelayMs,
      exportTimeoutMillis: config.otelExportTimeoutMs,
    });
    this.provider = new TracerProvider({
      resource: resourceFromAttributes(resourceAttributes(config)),
      sampler: samplerOf(config),
      spanProcessors: [this.queue],
    });
    this.tracer = this.provider.getTracer(SERVICE_NAME);
    this.isParentBased = config.otelTracesSampler.startsWith('parentbased_');
  }

  request({ method, fields, startedAtMs }: TracedRequest): RequestTrace {
    const parent = traceParentOf(fields);
    if (parent !== undefined && !parent.isSampled && this.isParentBased) {
      return new UnchangedTrace(parent.traceId);
    }
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: parent.traceId,
            spanId: parent.spanId,
            traceFlags: parent.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
            isRemote: true,
          });
    const span = this.tracer.startSpan(
      nameOf(method),
      { kind: SpanKind.SERVER, startTime: startedAtMs, attributes: methodAttributes(method) },
      context,
    );
    if (span.isRecording()) {
      return new RecordedRequest(this.tracer, span, parent === undefined);
    }
    // Others may record the trace of a caller; they do so without this relay.
    const own = span.spanContext();
    return parent === undefined
      ? new UnrecordedTrace(own.traceId, traceparentOf(own))
      : new UnchangedTrace(parent.traceId);
  }

  call(method: string, origin: string, attributes: SpanAttributes = {}): CallTrace | undefined {
    const span = startCall(this.tracer, ROOT_CONTEXT, { method, origin, attributes });
    return span.isRecording() ? new RecordedCall(span, true) : undefined;
  }

  async shutdown(limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.provider.shutdown(), limit]);
    clearTimeout(timer);
    if (this.queue.pending > 0) {
      this.events.dropped(this.queue.pending, 'stopped');
    }
  }
}

class RecordedRequest implements RequestTrace {
  readonly isRecorded = true;
  private readonly context: Context;

  /** @param isRoot - whether the trace begins here */
  constructor(
    private readonly tracer: ApiTracer,
    private readonly span: Span,
    private readonly isRoot: boolean,
  ) {
    this.context = trace.setSpan(ROOT_CONTEXT, span);
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  call(method: string, origin: string, attributes: SpanAttributes = {}): CallTrace {
    const span = startCall(this.tracer, this.context, { method, origin, attributes });
    return new RecordedCall(span, this.isRoot);
  }

  connectionEnded(startedAtMs: number, end: SpanEnd): void {
    const span = this.tracer.startSpan(
      'upgraded connection',
      { kind: SpanKind.INTERNAL, startTime: startedAtMs },
      this.context,
    );
    endSpan(span, end, hasFailed(end));
  }

  end(end: SpanEnd): void {
    // What the sender did wrong is no error of the server.
    const isOfSender = end.isCutOff !== true && (end.status ?? 500) < 500;
    endSpan(this.span, end, !isOfSender && (hasFailed(end) || (end.status ?? 0) >= 500));
  }
}

class RecordedCall implements CallTrace {
  constructor(
    private readonly span: Span,
    private readonly isRoot: boolean,
  ) {}

  fieldsOf(fields: RawFields): RawFields {
    const traceparent = traceparentOf(this.span.spanContext());
    return this.isRoot
      ? withNewTraceparent(fields, traceparent)
      : withTraceparent(fields, traceparent);
  }

  end(end: SpanEnd): void {
    endSpan(this.span, end, hasFailed(end) || (end.status ?? 0) >= 400);
  }
}

/** Reading an origin costs as much as a span. Clients may name many, so not all are kept. */
const MAX_SERVERS = 256;
const servers = new Map<string, { readonly address: string; readonly port: number }>();

function serverOf(origin: string): { readonly address: string; readonly port: number } {
  const known = servers.get(origin);
  if (known !== undefined) {
    return known;
  }
  const { hostname, port, protocol } = new URL(origin);
  const usual = protocol === 'https:' ? 443 : 80;
  const server = {
    address: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? usual : Number(port),
  };
  if (servers.size >= MAX_SERVERS) {
    servers.clear();
  }
  servers.set(origin, server);
  return server;
}

function startCall(
  tracer: ApiTracer,
  context: Context,
  {
    method,
    origin,
    attributes,
  }: { readonly method: string; readonly origin: string; readonly attributes: SpanAttributes },
): Span {
  const { address, port } = serverOf(origin);
  return tracer.startSpan(
    nameOf(method),
    {
      kind: SpanKind.CLIENT,
      startTime: performance.now(),
      attributes: {
        ...methodAttributes(method),
        [ATTR_SERVER_ADDRESS]: address,
        [ATTR_SERVER_PORT]: port,
        ...attributes,
      },
    },
    context,
  );
}

function hasFailed({ code }: SpanEnd): boolean {
  return code !== undefined && !GONE_CODES.has(code);
}

function endSpan(span: Span, end: SpanEnd, isError: boolean): void {
  const { status, code, attributes = {} } = end;
  const ofStatus = isError && status !== undefined ? String(status) : undefined;
  const errorType = hasFailed(end) ? code : ofStatus;
  span.setAttributes({
    ...attributes,
    [ATTR_HTTP_RESPONSE_STATUS_CODE]: status,
    [ATTR_ERROR_TYPE]: errorType,
    'mte.code': code,
  });
  if (isError && errorType !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(performance.now());
}

function nameOf(method: string): string {
  return METHODS.has(method) ? method : 'HTTP';
}

function methodAttributes(method: string): Record<string, string> {
  return { [ATTR_HTTP_REQUEST_METHOD]: METHODS.has(method) ? method : '_OTHER' };
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
}

function exporterOf(config: RelayConfig, url: string, maxBatches: number): OTLPTraceExporter {
  return new OTLPTraceExporter({
    url,
    headers: Object.fromEntries([...config.otlpHeaders, ...config.otlpTracesHeaders]),
    timeoutMillis: config.otlpTimeoutMs,
    concurrencyLimit: Math.max(LEAST_EXPORTS, maxBatches),
  });
}

function resourceAttributes(config: RelayConfig): Record<string, string> {
  const given = Object.fromEntries(config.otelResourceAttributes);
  return {
    'service.instance.id': randomUUID(),
    [ATTR_SERVICE_NAME]: SERVICE_NAME,
    ...given,
    ...(config.otelServiceName === undefined
      ? {}
      : { [ATTR_SERVICE_NAME]: config.otelServiceName }),
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
  };
}
