import { IsIn, IsOptional, IsString } from 'class-validator';

import { ProxyOptions } from './proxy-options.js';
import type { HeaderField } from './rules/headers.js';
import { fieldKeyValues, keyValues } from './rules/key-values.js';
import { FromText, Integer, Refused, refuseUnless } from './rules/rule.js';
import { baseUrl, exactUrl } from './rules/url.js';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Which traces are recorded; those with `parentbased_` do what the caller says, if it says something. */
export type TraceSampler = (typeof SAMPLERS)[number];

const ratio = (text: string): number | Refused =>
  /^(?:0|1|[01]?\.\d+|1\.0+)$/.test(text) && Number(text) <= 1
    ? Number(text)
    : new Refused('must be a number from 0 to 1');

/** @param value - the only one that may be set */
const Only = (
  property: string,
  value: string,
  message = `must be ${value}: this relay has no other exporter`,
): PropertyDecorator =>
  refuseUnless(property, message, (properties) => properties[property] === value);

const areTracesOn = (environment: NodeJS.ProcessEnv): boolean =>
  ((environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '') !== '' ||
    (environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '') !== '') &&
  environment['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true' &&
  environment['OTEL_TRACES_EXPORTER'] !== 'none';

/**
 * The environment without the variables of OpenTelemetry, unless traces are exported: platforms set these variables for all that
 * they run, and no value of one stops a relay that has no use for it.
 */
export const withoutUnusedTraces = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  areTracesOn(environment)
    ? environment
    : Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('OTEL_')));

/** Where traces go, and which: the variables of OpenTelemetry that this relay knows. */
export abstract class TraceOptions extends ProxyOptions {
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`: base URL of the collector; `/v1/traces` is added. If undefined, there are no traces. */
  @IsOptional()
  @FromText(baseUrl)
  readonly otlpEndpoint?: string;

  /** `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`: the URL that takes traces, as it is; it takes precedence. */
  @IsOptional()
  @FromText(exactUrl)
  readonly otlpTracesEndpoint?: string;

  /** `OTEL_EXPORTER_OTLP_HEADERS`: fields of requests to the collector, such as credentials. */
  @FromText(fieldKeyValues)
  readonly otlpHeaders: readonly HeaderField[] = [];

  /** `OTEL_EXPORTER_OTLP_TRACES_HEADERS`: further ones, which take precedence. */
  @FromText(fieldKeyValues)
  readonly otlpTracesHeaders: readonly HeaderField[] = [];

  /** `OTEL_EXPORTER_OTLP_PROTOCOL`: only `http/protobuf` is spoken. */
  @IsOptional()
  @Only('otlpProtocol', 'http/protobuf')
  readonly otlpProtocol?: string;

  /** `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`: likewise. */
  @IsOptional()
  @Only('otlpTracesProtocol', 'http/protobuf')
  readonly otlpTracesProtocol?: string;

  /** `OTEL_EXPORTER_OTLP_TIMEOUT`: how long the export of one batch may take with its repeats, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly otlpTimeoutMs: number = 10_000;

  /** `OTEL_SDK_DISABLED`: with `true`, there are no traces. */
  @IsOptional()
  @IsString()
  readonly otelSdkDisabled?: string;

  /** `OTEL_TRACES_EXPORTER`: `otlp`, or `none` for no traces. */
  @IsOptional()
  @Only('otelTracesExporter', 'otlp', 'must be otlp or none')
  readonly otelTracesExporter?: string;

  /** `OTEL_TRACES_SAMPLER`: which traces are recorded. */
  @IsIn(SAMPLERS, { message: `must be one of ${SAMPLERS.join(', ')}` })
  readonly otelTracesSampler: TraceSampler = 'parentbased_always_on';

  /** `OTEL_TRACES_SAMPLER_ARG`: the share of traces that samplers by ratio record, 0 to 1. */
  @FromText(ratio)
  readonly otelTracesRatio: number = 1;

  /** `OTEL_BSP_MAX_QUEUE_SIZE`: how many spans wait for their export; others are dropped. */
  @Integer(1, 65_536)
  readonly otelMaxQueueSize: number = 2048;

  /** `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`: how many spans are exported at once. */
  @Integer(1, 65_536)
  readonly otelMaxBatchSize: number = 512;

  /** `OTEL_BSP_SCHEDULE_DELAY`: how long spans wait for others, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly otelScheduleDelayMs: number = 5_000;

  /** `OTEL_BSP_EXPORT_TIMEOUT`: after which time the next batch no longer waits for one, 1 to 600000 ms. */
  @Integer(1, 600_000)
  readonly otelExportTimeoutMs: number = 30_000;

  /** `OTEL_SERVICE_NAME`: the name of this relay in traces; if undefined, that of the resource attributes, else `mte-api-relay`. */
  @IsOptional()
  @IsString()
  readonly otelServiceName?: string;

  /** `OTEL_RESOURCE_ATTRIBUTES`: attributes that all spans of this relay share. */
  @FromText(keyValues)
  readonly otelResourceAttributes: readonly HeaderField[] = [];

  /** Where traces go; undefined if there are none. */
  get tracesUrl(): string | undefined {
    if (this.otlpTracesEndpoint !== undefined || this.otlpEndpoint === undefined) {
      return this.otlpTracesEndpoint;
    }
    return `${this.otlpEndpoint}/v1/traces`;
  }
}
