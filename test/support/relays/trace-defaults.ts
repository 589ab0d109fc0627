/** What the configuration says about traces if no variable does. */
export const TRACE_DEFAULTS = {
  otlpHeaders: [],
  otlpTracesHeaders: [],
  otlpTimeoutMs: 10_000,
  otelTracesSampler: 'parentbased_always_on',
  otelTracesRatio: 1,
  otelMaxQueueSize: 2048,
  otelMaxBatchSize: 512,
  otelScheduleDelayMs: 5_000,
  otelExportTimeoutMs: 30_000,
  otelResourceAttributes: [],
};
