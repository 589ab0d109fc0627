import type { ResponseHead } from '@relay/protocol';

/** The response to a peer, which is sealed as it arrives from the upstream, whichever way it goes back. */
export interface SealedResponse {
  /** Whether a head has been sealed, so that no other response can be sent instead. */
  readonly isStarted: boolean;
  /** Bytes of the body that have been sealed so far. */
  readonly bytes: number;

  /**
   * @param head - checked with checkResponseHead
   * @param bodyBytes - length of the body: 0 if there is none, undefined if it is unknown
   * @throws HeadInvalidError if the head is too large
   */
  start(head: ResponseHead, bodyBytes: number | undefined): void;

  /** @returns false if no more should be written until the exchange is resumed */
  write(chunk: Buffer): boolean;

  /**
   * Seals the end of the response.
   *
   * @throws MessageTooLongError if it cannot be sealed any more
   */
  end(): void;

  /** Gives up: the peer must not take what it has received for a whole response. */
  reset(): void;
}
