import type { IncomingMessage } from 'node:http';

import type { LogFields } from './relay-log.js';

/** What its line in the log and the metrics tell of a request, besides how it ended. */
export interface RequestFacts extends Pick<
  LogFields,
  'peer' | 'method' | 'exchange' | 'attempt' | 'trace_id' | 'bytesIn' | 'bytesOut'
> {
  /** Of the message as it was received by this side, head and all. Metrics only. */
  readonly sealedIn?: number;
  /** As it was sent. */
  readonly sealedOut?: number;
}

const known = new WeakMap<IncomingMessage, () => RequestFacts>();

/** Lets whoever ends the request, such as the error filter, tell what its service knows. */
export function rememberFacts(request: IncomingMessage, facts: () => RequestFacts): void {
  known.set(request, facts);
}

/** @returns nothing where the request ended before anything was known of it */
export function factsOf(request: IncomingMessage): RequestFacts | undefined {
  return known.get(request)?.();
}
