import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';

/** Why spans never reached the collector. */
export type DropReason = 'queue_full' | 'export_failed' | 'stopped';

/** Hears of what becomes of spans. */
export interface ExportEvents {
  exported(spans: number): void;
  dropped(spans: number, reason: DropReason): void;
  /** Exporting has begun to fail. Not called again before `recovered`. */
  failing(reason: string): void;
  recovered(): void;
}

export interface QueueOptions {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

/** An exporter that reports what becomes of the spans. */
class ReportingExporter implements SpanExporter {
  private isFailing = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly events: ExportEvents,
    private readonly onTaken: (spans: number) => void,
    private readonly onOver: (spans: number) => void,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.onTaken(spans.length);
    const over = (result: ExportResult): void => {
      this.onOver(spans.length);
      if (result.code === ExportResultCode.SUCCESS) {
        this.events.exported(spans.length);
        if (this.isFailing) {
          this.isFailing = false;
          this.events.recovered();
        }
      } else {
        this.events.dropped(spans.length, 'export_failed');
        if (!this.isFailing) {
          this.isFailing = true;
          this.events.failing(reasonOf(result.error));
        }
      }
      done(result);
    };
    try {
      this.exporter.export(spans, over);
    } catch (error) {
      // Such as a span that cannot be encoded.
      over({ code: ExportResultCode.FAILED, error: error as Error });
    }
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

/**
 * The queue of spans that wait for the collector. Spans beyond its size are dropped here, where they are counted, and also while
 * as many are on their way: a collector that never responds must not collect them in memory.
 */
export class SpanQueue implements SpanProcessor {
  private readonly batches: BatchSpanProcessor;
  private readonly maxQueueSize: number;
  private waiting = 0;
  private underWay = 0;
  private isStopped = false;
  private onIdle: (() => void) | undefined;

  constructor(
    exporter: SpanExporter,
    private readonly events: ExportEvents,
    options: QueueOptions,
  ) {
    this.maxQueueSize = options.maxQueueSize;
    const reporting = new ReportingExporter(
      exporter,
      events,
      (spans) => {
        this.waiting -= spans;
        this.underWay += spans;
      },
      (spans) => {
        this.underWay -= spans;
        if (this.pending === 0) {
          this.onIdle?.();
        }
      },
    );
    this.batches = new BatchSpanProcessor({ ...options, exporter: reporting });
  }

  onStart(): void {
    // A span is of interest once it has ended.
  }

  onEnd(span: ReadableSpan): void {
    if (this.isStopped) {
      this.events.dropped(1, 'stopped');
    } else if (this.waiting + this.underWay >= this.maxQueueSize) {
      this.events.dropped(1, 'queue_full');
    } else {
      this.waiting += 1;
      this.batches.onEnd(span);
    }
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  /** Sends what is left, and returns once all of it is over. What is `pending` when this is abandoned counts as dropped. */
  async shutdown(): Promise<void> {
    this.isStopped = true;
    // It rejects with the first batch that fails, which has been counted; the others are still under way.
    await this.batches.shutdown().catch(() => undefined);
    if (this.pending > 0) {
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
    }
  }

  /** Spans that have not reached the collector, and may never reach it. */
  get pending(): number {
    return this.waiting + this.underWay;
  }
}

/** A few words, of which none is the collector's: what it responds is not for the log. */
function reasonOf(error: (Error & { readonly code?: unknown }) | undefined): string {
  const code = error?.code;
  if (typeof code === 'number') {
    return `status ${code}`;
  }
  return typeof code === 'string' ? code : (error?.message ?? 'unknown').slice(0, 100);
}
