import type { IncomingMessage } from 'node:http';

import type { LogFields } from './relay-log.js';

/** What its line in the log and the metrics tell of a request, besides how it ended. */
export interface RequestFacts extends Pick<
  LogFields,
  'peer' | 'method' | 'exchange' | 'attempt' | 'trace_id' | 'bytesIn' | 'bytesOut'
> {
  /** Of the message as it was received by this side, head and all. Metrics only. */
  readonly sealedIn?: number | undefined;
  /** As it was sent. */
  readonly sealedOut?: number | undefined;
}

/**
 * Kept on the request itself. In a WeakMap the garbage collector would take the values, which know their request, for
 * alive until the next full collection, and every request would grow old.
 */
const FACTS = Symbol('facts of a request');

interface KnownRequest extends IncomingMessage {
  [FACTS]?: () => RequestFacts;
}

/** Lets whoever ends the request, such as the error filter, tell what its service knows. */
export function rememberFacts(request: KnownRequest, facts: () => RequestFacts): void {
  request[FACTS] = facts;
}

/** @returns nothing where the request ended before anything was known of it */
export function factsOf(request: KnownRequest): RequestFacts | undefined {
  return request[FACTS]?.();
}
