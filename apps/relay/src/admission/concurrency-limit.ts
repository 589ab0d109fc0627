import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { RelayBusyError } from '@relay/http';

import { RelayMetrics } from './observability/relay-metrics.js';

/**
 * What this process forwards at this moment, through any door, up to MAX_CONCURRENT_REQUESTS. Only senders that have
 * been let in are counted: whoever holds neither token nor secret can take up a place on PASS_THROUGH_ROUTES alone. The
 * relay's own endpoints and pairings need none, so that a relay which is full can still say that it lives, and be
 * paired with.
 */
@Injectable()
export class ConcurrentRequests {
  private readonly limit: number;
  private count = 0;

  constructor(
    config: RelayConfig,
    private readonly metrics: RelayMetrics,
  ) {
    this.limit = config.maxConcurrentRequests;
  }

  /**
   * Takes a place, which the response gives back when it closes, whatever its end.
   *
   * @returns false where there is none left
   */
  admit(response: ServerResponse): boolean {
    if (this.count >= this.limit) {
      return false;
    }
    this.change(1);
    // One that has closed already would never say so.
    if (response.destroyed) {
      this.change(-1);
    } else {
      response.once('close', () => {
        this.change(-1);
      });
    }
    return true;
  }

  /**
   * The same for clients, who are answered in clear.
   *
   * @throws RelayBusyError
   */
  take(response: ServerResponse): void {
    if (!this.admit(response)) {
      throw new RelayBusyError(`the relay is forwarding ${this.limit} requests already`);
    }
  }

  private change(by: 1 | -1): void {
    this.count += by;
    this.metrics.concurrentRequests.set(this.count);
  }
}
