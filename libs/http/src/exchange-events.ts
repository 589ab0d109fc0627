import type { Socket } from 'node:net';

import type { Dispatcher } from 'undici';

/** Why an exchange ended without a complete response. */
export type ExchangeFailureKind =
  /** No connection: DNS, TCP or TLS. */
  | 'unreachable'
  /** No connection within the limit. */
  | 'connect-timeout'
  /** No response head within the limit after the whole request was sent. */
  | 'response-timeout'
  /** Silence within the response, or a receiver that has stopped reading the request. */
  | 'idle'
  /** The other side reset or closed the connection, or violated HTTP. */
  | 'reset'
  /** Aborted by this side, for the reason in `cause`. */
  | 'aborted';

/** How an exchange failed. */
export interface ExchangeFailure {
  readonly kind: ExchangeFailureKind;
  /** Whether a byte of the request may have been sent. If not, nothing can have acted on the request. */
  readonly wasSent: boolean;
  /** Whether the head of a final response has arrived, even one that was not passed to `onHead`. */
  readonly hasHead: boolean;
  readonly cause: Error;
}

/**
 * The events of one exchange, in order: a head, any number of data chunks, an end; or a failure at any time. If an upgrade was
 * asked for, a single event may take the place of all of them.
 */
export interface ExchangeEvents {
  /**
   * The head of the response has arrived. Interim responses are not reported.
   *
   * @param rawFields - name, value, … as received
   */
  onHead(status: number, rawFields: readonly (string | Buffer)[]): void;
  /** A chunk of the body has arrived. @returns false to pause the sender until `resume` is called */
  onData(chunk: Buffer): boolean;
  /** The response is complete. No event follows. */
  onEnd(): void;
  /** The exchange has failed. No event follows. */
  onFailure(failure: ExchangeFailure): void;
  /**
   * The server has switched protocols, to whichever one. No event follows.
   *
   * @param rawFields - of the 101: name, value, … as received
   * @param socket - paused; what has arrived behind the 101 is to be read from it
   */
  onUpgrade?(rawFields: readonly (string | Buffer)[], socket: Socket): void;
}

/** The request of an exchange. */
export interface ExchangeRequest {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  /** Name, value, … */
  readonly headers: string[];
  /** A whole body, or chunks that are requested as fast as the connection takes them; undefined if there is no body. */
  readonly body: Buffer | AsyncIterable<Buffer> | undefined;
  /** Has a new connection for each request. The request goes there if the kept connection that it was for is lost unwritten. */
  readonly fresh?: Dispatcher | undefined;
  /**
   * Whether it also goes there if it was written, and the connection, which had been used before, is lost without an octet of a
   * response. Not for a body in chunks.
   */
  readonly mayRunTwice?: boolean;
  /** The protocol to ask for with `connection: upgrade`. */
  readonly upgrade?: string | undefined;
}

/** The time limits of an exchange. */
export interface ExchangeLimits {
  /** From the end of the request to the head of the response. */
  readonly responseTimeoutMs: number;
  /** The longest silence within the response, and the longest time for which the receiver may not read; 0: no limit. */
  readonly idleTimeoutMs: number;
}
