import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';

import { RelayConfig, type ClientEntry } from '@relay/config';
import { SharedRedis } from '@relay/session';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ClientLimitedError } from './admission.errors.js';
import { ClientLimits } from './client-limits.js';

class FakeResponse extends EventEmitter {
  destroyed = false;

  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const response = (): FakeResponse & ServerResponse => new FakeResponse() as never;
const clientOf = (name: string, limits: ClientEntry['limits']): ClientEntry => ({
  name,
  tokens: [],
  limits,
});
const limitsAlone = (): ClientLimits =>
  new ClientLimits(new RelayConfig(), new SharedRedis(undefined));

/** How many of so many requests at the same moment are admitted. */
const admitted = async (
  limits: ClientLimits,
  client: ClientEntry,
  requests: number,
): Promise<number> => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: requests }, async () => limits.admit(client, response())),
  );
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
};

/** Admits a request whose limits need no time to be decided. */
const admit = (limits: ClientLimits, client: ClientEntry, of = response()): void => {
  expect(limits.admit(client, of)).toBeUndefined();
};

describe('a client without limits', () => {
  it('is admitted at once', () => {
    expect(limitsAlone().admit(clientOf('a', {}), response())).toBeUndefined();
  });
});

describe('requests under way', () => {
  const client = clientOf('a', { concurrent: 2 });

  it('are as many as the limit says, and are decided at once', () => {
    const limits = limitsAlone();
    admit(limits, client);
    admit(limits, client);
    expect(() => limits.admit(client, response())).toThrow(ClientLimitedError);
    admit(limits, clientOf('b', { concurrent: 1 }));
  });

  it('free their place when the response closes, and a refused one takes none', () => {
    const limits = limitsAlone();
    const first = response();
    admit(limits, client, first);
    admit(limits, client);
    const refused = response();
    expect(() => limits.admit(client, refused)).toThrow(ClientLimitedError);
    refused.close();
    expect(() => limits.admit(client, response())).toThrow(ClientLimitedError);

    first.close();
    admit(limits, client);
    expect(() => limits.admit(client, response())).toThrow(ClientLimitedError);
  });

  it('of a response that is closed already take no place', () => {
    const limits = limitsAlone();
    const closed = response();
    closed.close();
    admit(limits, clientOf('a', { concurrent: 1 }), closed);
    expect(() => limits.admit(clientOf('a', { concurrent: 1 }), response())).not.toThrow();
  });

  it('are counted on when a reload changes the limit', () => {
    const limits = limitsAlone();
    admit(limits, client);
    admit(limits, client);
    expect(() => limits.admit(clientOf('a', { concurrent: 1 }), response())).toThrow();
    admit(limits, clientOf('a', { concurrent: 3 }));
    expect(() => limits.admit(clientOf('a', { concurrent: 3 }), response())).toThrow();
  });
});

describe('requests per second', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const client = clientOf('a', { requestsPerSecond: 3 });

  it('are as many as the limit says, and as many again a second later', async () => {
    const limits = limitsAlone();
    expect(await admitted(limits, client, 10)).toBe(3);
    vi.advanceTimersByTime(999);
    expect(await admitted(limits, client, 10)).toBe(0);
    vi.advanceTimersByTime(1);
    expect(await admitted(limits, client, 10)).toBe(3);
  });

  it('are those of one client', async () => {
    const limits = limitsAlone();
    await admitted(limits, client, 10);
    expect(await admitted(limits, clientOf('b', { requestsPerSecond: 3 }), 3)).toBe(3);
  });

  it('beyond the limit are told when to come again, in whole seconds', async () => {
    const limits = limitsAlone();
    await admitted(limits, client, 3);
    vi.advanceTimersByTime(900);
    await expect(limits.admit(client, response())).rejects.toMatchObject({
      code: 'RELAY_CLIENT_LIMITED',
      forwarded: 'no',
      retryAfter: 1,
    });
  });

  it('follow a limit that a reload has changed', async () => {
    const limits = limitsAlone();
    expect(await admitted(limits, client, 10)).toBe(3);
    expect(await admitted(limits, clientOf('a', { requestsPerSecond: 5 }), 10)).toBe(5);
  });

  it('keep the count of clients that a reload has left in place, and forget the others', async () => {
    const limits = limitsAlone();
    await admitted(limits, client, 10);
    limits.retain([client]);
    expect(await admitted(limits, client, 10)).toBe(0);
    limits.retain([]);
    expect(await admitted(limits, client, 10)).toBe(3);
  });
});

describe('a Redis that fails now and then', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is reported once, and once more when it has not failed for ten seconds', async () => {
    const replies: (Error | undefined)[] = [];
    const redis = {
      isConfigured: true,
      define: () => undefined,
      run: () => {
        const failure = replies.shift();
        return failure === undefined ? Promise.resolve([1, 1000]) : Promise.reject(failure);
      },
    };
    const limits = new ClientLimits(new RelayConfig(), redis as never);
    const reports: (Error | undefined)[] = [];
    limits.watch((failure) => {
      reports.push(failure);
    });
    const failure = new Error('NOPERM');
    const request = async (reply?: Error): Promise<void> => {
      replies.push(reply);
      await limits.admit(clientOf('a', { requestsPerSecond: 3 }), response());
    };

    await request();
    expect(reports).toEqual([]);
    await request(failure);
    await request();
    vi.advanceTimersByTime(9_000);
    await request(failure);
    vi.advanceTimersByTime(9_000);
    await request();
    expect(reports).toEqual([failure]);
    vi.advanceTimersByTime(2_000);
    await request();
    await request();
    expect(reports).toEqual([failure, undefined]);
    await request(failure);
    expect(reports).toEqual([failure, undefined, failure]);
  });
});
