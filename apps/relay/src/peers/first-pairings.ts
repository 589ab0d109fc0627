import type { Clock } from '@relay/clock';

import { RateLimiter } from '../admission/rate-limiter.js';
import { FirstPairingLimitError, NotConnectedError } from './peers.errors.js';

/** First pairings that may be pending at the same time, of all networks together: several times what one of them may have. */
const MAX_PENDING = 500;
/**
 * First pairings of one network that may be pending or have recently failed. One that succeeds does not count, nor does one that
 * ended without a connection: it cost no key.
 */
const FAILED_PER_MINUTE = 120;

/**
 * Limits the pairings with peers that have never been paired: that they are relays is only what clients say. No client can
 * exhaust the limit for those of another network, and pairings with peers that were paired once are not limited at all.
 */
export class FirstPairings {
  private pending = 0;
  private readonly rateLimiter: RateLimiter;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.rateLimiter = new RateLimiter(FAILED_PER_MINUTE, clock);
  }

  /**
   * @param network - that of the client whose request needs the pairing
   * @returns what `pair` returns
   * @throws FirstPairingLimitError instead of calling `pair`; whatever `pair` throws
   */
  async run<T>(network: string, pair: () => Promise<T>): Promise<T> {
    if (this.pending >= MAX_PENDING || !this.rateLimiter.tryTake(network)) {
      throw new FirstPairingLimitError();
    }
    this.pending += 1;
    try {
      const paired = await pair();
      this.rateLimiter.refund(network);
      return paired;
    } catch (error) {
      if (error instanceof NotConnectedError) {
        this.rateLimiter.refund(network);
      }
      throw error;
    } finally {
      this.pending -= 1;
    }
  }
}
