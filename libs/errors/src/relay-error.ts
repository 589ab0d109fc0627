import type { ErrorCode } from './error-registry.js';

/**
 * The base of every error of the relay: it has a stable code for operators and clients. The HTTP status and what is logged are
 * decided where the error leaves the process, never here.
 */
export abstract class RelayError extends Error {
  /** The stable name of the error: part of the operator contract, listed in docs/operations.md. */
  abstract readonly code: ErrorCode;

  /**
   * @param message - states the fact and the limit; never contains a key, a body, a token or a whole header value
   * @param options - `cause`, if another error led to this one
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
