import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';

import type { CallTrace, RequestTrace, SpanAttributes, TracedRequest, Tracer } from './tracer.js';

/** The longest time that a stop waits for the collector. */
const FLUSH_LIMIT_MS = 2_000;

/** What the rooms of this relay trace with. Without a tracer, nothing is done, and nothing of OpenTelemetry is loaded. */
export class Traces implements BeforeApplicationShutdown, OnApplicationShutdown {
  private flushedByMs = Infinity;

  /** @param shutdownTimeoutMs - from the beginning of a shutdown, after which nothing waits for the collector */
  constructor(
    private readonly tracer: Tracer | undefined,
    private readonly shutdownTimeoutMs: number,
  ) {}

  request(request: TracedRequest): RequestTrace | undefined {
    return this.tracer?.request(request);
  }

  call(method: string, origin: string, attributes?: SpanAttributes): CallTrace | undefined {
    return this.tracer?.call(method, origin, attributes);
  }

  beforeApplicationShutdown(): void {
    this.flushedByMs = performance.now() + this.shutdownTimeoutMs;
  }

  /** By then, all requests have ended. */
  async onApplicationShutdown(): Promise<void> {
    const leftMs = Math.max(0, this.flushedByMs - performance.now());
    await this.tracer?.shutdown(Math.min(FLUSH_LIMIT_MS, leftMs));
  }
}
