import { readFileSync } from 'node:fs';

import protobuf from 'protobufjs';

const { root } = protobuf.parse(
  readFileSync(new URL('./otlp-trace.proto', import.meta.url), 'utf8'),
);
const EXPORT = root.lookupType('ExportTraceServiceRequest');
const KINDS = ['unspecified', 'internal', 'server', 'client'] as const;

type Value = string | number | boolean;
type Attributes = Readonly<Record<string, Value>>;

/** A span as a collector has received it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly isError: boolean;
  /** Of the process that has sent it. */
  readonly resource: Attributes;
}

interface RawKeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number | boolean>>;
}

interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly RawKeyValue[];
  readonly status?: { readonly code?: number };
}

interface RawExport {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly RawKeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

/** Decodes the body of an export with nothing of the SDK that has made it. */
export function decodeSpans(body: Buffer): ReceivedSpan[] {
  const decoded = EXPORT.toObject(EXPORT.decode(body), {
    longs: String,
    bytes: String,
  }) as RawExport;
  return (decoded.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId ?? ''),
        name: span.name,
        kind: KINDS[span.kind] ?? 'unspecified',
        startMs: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
        attributes: attributesOf(span.attributes ?? []),
        isError: span.status?.code === 2,
        resource: attributesOf(resource.attributes),
      })),
    ),
  );
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function attributesOf(pairs: readonly RawKeyValue[]): Attributes {
  return Object.fromEntries(
    pairs.map(({ key, value: { intValue, ...value } }) => [
      key,
      intValue === undefined ? (Object.values(value)[0] ?? '') : Number(intValue),
    ]),
  );
}
