import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { RelayBusyError } from './admission.errors.js';

/**
 * Limits the requests that this process forwards at the same time, on all routes together, to MAX_CONCURRENT_REQUESTS. Only
 * admitted senders are counted: without a token or the secret, a sender can occupy places on PASS_THROUGH_ROUTES only. The
 * relay's own endpoints and pairings need no place, so a relay that is at its limit still reports its health and still pairs.
 */
@Injectable()
export class ConcurrencyLimit {
  private readonly limit: number;
  private inUse = 0;

  constructor(config: RelayConfig) {
    this.limit = config.maxConcurrentRequests;
  }

  /** Requests that are being forwarded at this moment. */
  get concurrentRequests(): number {
    return this.inUse;
  }

  /**
   * Takes a place, which is freed when the response closes, however it ends.
   *
   * @returns false if no place is left
   */
  tryAcquire(response: ServerResponse): boolean {
    if (this.inUse >= this.limit) {
      return false;
    }
    // A response that is closed already never emits the event that would free its place.
    if (!response.destroyed) {
      this.inUse += 1;
      response.once('close', () => {
        this.inUse -= 1;
      });
    }
    return true;
  }

  /**
   * As `tryAcquire`, for clients, who receive their error in plaintext.
   *
   * @throws RelayBusyError
   */
  acquire(response: ServerResponse): void {
    if (!this.tryAcquire(response)) {
      throw new RelayBusyError(`the relay is already forwarding ${this.limit} requests`);
    }
  }
}
