import type { ServerResponse } from 'node:http';

import { RelayBusyError } from './admission.errors.js';

/** A limited number of places, each of which one request takes until its response closes. */
export class Places {
  private taken = 0;

  /**
   * @param limit - how many there are
   * @param what - what the limit counts, for its error message
   */
  protected constructor(
    readonly limit: number,
    private readonly what: string,
  ) {}

  /** Requests that have a place at this moment. */
  get inUse(): number {
    return this.taken;
  }

  /**
   * Takes a place, which is freed when the response closes, however it ends.
   *
   * @returns false if no place is left
   */
  tryAcquire(response: ServerResponse): boolean {
    if (this.taken >= this.limit) {
      return false;
    }
    // A response that is closed already never emits the event that would free its place.
    if (!response.destroyed) {
      this.taken += 1;
      response.once('close', () => {
        this.taken -= 1;
      });
    }
    return true;
  }

  /** Takes a place for what is not a request of its own. @returns whether there was one; `release` must follow */
  tryTake(): boolean {
    if (this.taken >= this.limit) {
      return false;
    }
    this.taken += 1;
    return true;
  }

  /** Frees a place that `tryTake` has taken. */
  release(): void {
    this.taken -= 1;
  }

  /**
   * As `tryAcquire`, for clients, who receive their error in plaintext.
   *
   * @throws RelayBusyError
   */
  acquire(response: ServerResponse): void {
    if (!this.tryAcquire(response)) {
      throw new RelayBusyError(`the relay is already forwarding ${this.limit} ${this.what}`);
    }
  }
}
