import { randomBytes } from 'node:crypto';

import type { Collector } from './collector.js';
import type { ReceivedSpan } from './decode-spans.js';

/** A span of whoever calls a relay. */
export interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  /** What it sends if it records its trace. */
  readonly traceparent: string;
}

export function newCaller(): Caller {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

/** Spans from a first one on, each the parent of the next, once there are so many. */
export async function chainFrom(
  { spans }: Collector,
  isFirst: (span: ReceivedSpan) => boolean,
  count: number,
): Promise<ReceivedSpan[]> {
  const chain = [await spans.find(isFirst)];
  while (chain.length < count) {
    const parent = chain.at(-1);
    chain.push(
      await spans.find(
        ({ traceId, parentSpanId }) =>
          traceId === parent?.traceId && parentSpanId === parent.spanId,
      ),
    );
  }
  return chain;
}

/** As `chainFrom`, from the span on that the caller's request has caused. */
export function chainOf(
  collector: Collector,
  { traceId, spanId }: Pick<Caller, 'traceId' | 'spanId'>,
  count: number,
): Promise<ReceivedSpan[]> {
  return chainFrom(
    collector,
    (span) => span.traceId === traceId && span.parentSpanId === spanId,
    count,
  );
}
