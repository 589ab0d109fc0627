import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { AlwaysOnSampler, TracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';

import { SpanQueue } from './span-export.js';

/** A queue of batches of one span, and what becomes of its spans. */
function queueFor(exportOne: SpanExporter['export']) {
  const events: string[] = [];
  const exporter: SpanExporter = { export: exportOne, shutdown: () => Promise.resolve() };
  const queue = new SpanQueue(
    exporter,
    {
      exported: (spans) => events.push(`exported ${spans}`),
      dropped: (spans, reason) => events.push(`${reason} ${spans}`),
      failing: (reason) => events.push(reason),
      recovered: () => events.push('recovered'),
    },
    {
      maxQueueSize: 10,
      maxExportBatchSize: 1,
      scheduledDelayMillis: 60_000,
      exportTimeoutMillis: 60_000,
    },
  );
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [queue],
  });
  const tracer = provider.getTracer('test');
  return {
    events,
    queue,
    endSpan: () => {
      tracer.startSpan('one').end();
    },
  };
}

it('an exporter that throws has failed, and keeps no place of the queue', () => {
  const { events, queue, endSpan } = queueFor(() => {
    throw new Error('cannot be encoded');
  });
  endSpan();

  expect(events).toEqual(['export_failed 1', 'cannot be encoded']);
  expect(queue.pending).toBe(0);
});

it('a shutdown waits for all batches, also after one has failed', async () => {
  const underWay: ((result: ExportResult) => void)[] = [];
  const { events, queue, endSpan } = queueFor((_spans, done) => underWay.push(done));
  endSpan();
  endSpan();
  endSpan();
  const shutdown = queue.shutdown().then(() => events.push('shut down'));
  await expect.poll(() => underWay.length).toBe(3);
  const [first, second, third] = underWay;
  second?.({ code: ExportResultCode.FAILED, error: new Error('sorry') });
  third?.({ code: ExportResultCode.SUCCESS });
  await new Promise(setImmediate);
  first?.({ code: ExportResultCode.SUCCESS });
  await shutdown;

  expect(events).toEqual([
    'export_failed 1',
    'sorry',
    'exported 1',
    'recovered',
    'exported 1',
    'shut down',
  ]);
});
