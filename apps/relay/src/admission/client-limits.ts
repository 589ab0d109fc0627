import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig, type ClientEntry } from '@relay/config';
import { SharedRedis } from '@relay/session';

import { ClientLimitedError } from './admission.errors.js';
import { ClientRates } from './client-rates.js';

/** A request of the client may end at any moment. */
const RETRY_AFTER_SECONDS = 1;

/** So that a Redis which fails now and then causes a line now and then. */
const SHARED_AGAIN_AFTER_MS = 10_000;

/**
 * The limits that the directory gives to single clients, besides those of the process. Requests per second are counted by all
 * replicas together, requests under way by each process alone. A client without limits costs nothing here.
 */
@Injectable()
export class ClientLimits {
  private readonly rates: ClientRates;
  /** Requests under way of clients with such a limit, by name; none are left out. */
  private readonly underWay = new Map<string, number>();
  private readonly listeners: ((failure?: Error) => void)[] = [];
  /** When requests were last counted here although they should have been in Redis; undefined if that is over. */
  private failedAtMs: number | undefined;

  constructor(config: RelayConfig, redis: SharedRedis) {
    this.rates = new ClientRates(redis, config.redisPrefix, (failure) => {
      this.report(failure);
    });
  }

  /**
   * Admits a request, which is under way until its response closes, however that ends. With an upgrade, that is the end of the
   * connection.
   *
   * @returns undefined if the request is admitted already; otherwise wait for it, and then look whether its client is still there
   * @throws ClientLimitedError at once, or by the promise
   */
  admit(client: ClientEntry, response: ServerResponse): Promise<void> | undefined {
    const { name, limits } = client;
    if (limits.concurrent !== undefined) {
      this.take(name, limits.concurrent, response);
    }
    return limits.requestsPerSecond === undefined
      ? undefined
      : this.rates.count(name, limits.requestsPerSecond);
  }

  /** Forgets clients that are no longer in the directory. */
  retain(clients: readonly ClientEntry[]): void {
    this.rates.retain(new Set(clients.map(({ name }) => name)));
  }

  /**
   * Calls a listener when requests can no longer be counted in the Redis that replicas share, with the reason, and without one
   * once they can again.
   */
  watch(listener: (failure?: Error) => void): void {
    this.listeners.push(listener);
  }

  private take(name: string, concurrent: number, response: ServerResponse): void {
    const taken = this.underWay.get(name) ?? 0;
    if (taken >= concurrent) {
      throw new ClientLimitedError(
        `the client may have ${concurrent} requests under way`,
        RETRY_AFTER_SECONDS,
      );
    }
    // A response that is closed already never emits the event that would free its place.
    if (!response.destroyed) {
      this.underWay.set(name, taken + 1);
      response.once('close', () => {
        this.release(name);
      });
    }
  }

  private release(name: string): void {
    const left = (this.underWay.get(name) ?? 0) - 1;
    if (left > 0) {
      this.underWay.set(name, left);
    } else {
      this.underWay.delete(name);
    }
  }

  private report(failure?: Error): void {
    const now = performance.now();
    const { failedAtMs } = this;
    if (failure !== undefined) {
      this.failedAtMs = now;
      if (failedAtMs === undefined) {
        this.tell(failure);
      }
    } else if (failedAtMs !== undefined && now - failedAtMs > SHARED_AGAIN_AFTER_MS) {
      this.failedAtMs = undefined;
      this.tell();
    }
  }

  private tell(failure?: Error): void {
    for (const listener of this.listeners) {
      listener(failure);
    }
  }
}
