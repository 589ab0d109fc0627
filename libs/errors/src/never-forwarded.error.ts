import { RelayError } from './relay-error.js';

/** A message whose sequence number this relay has consumed, and which it does not forward: `p=0`, protocol.md section 8. */
export abstract class NeverForwardedError extends RelayError {
  /**
   * @param proof - from `deriveProof` over the keys of the session in which the number was consumed. It is signed with the
   *   error: another session with the same id proves nothing about this message
   */
  constructor(
    message: string,
    readonly proof: Buffer,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
