import type { ClientEntry, ClientToken } from '@relay/config';
import { describe, expect, it } from 'vitest';

import { expiringTokens, nextExpirySeconds } from './token-expiry.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = Date.parse('2027-03-01T12:00:00Z');

const client = (name: string, ...tokens: ClientToken[]): ClientEntry => ({
  name,
  tokens,
  limits: {},
});
const token = (digit: string, expiresAtMs?: number): ClientToken => ({
  sha256: digit.repeat(64),
  expiresAtMs,
});

describe('tokens that an operator is warned about', () => {
  it('have expired, or will within 14 days', () => {
    const clients = [
      client('billing', token('a', NOW_MS + 14 * DAY_MS), token('b', NOW_MS + 14 * DAY_MS + 1)),
      client('orders', token('c'), token('d', NOW_MS - 400 * DAY_MS)),
    ];
    expect(expiringTokens(clients, NOW_MS)).toEqual([
      {
        ...{ client: 'billing', tokenId: 'aaaaaaaa', hasExpired: false },
        expires: '2027-03-15T12:00:00.000Z',
      },
      {
        ...{ client: 'orders', tokenId: 'dddddddd', hasExpired: true },
        expires: '2026-01-25T12:00:00.000Z',
      },
    ]);
  });

  it('have expired from the moment on that the file names', () => {
    const hasExpired = (nowMs: number): boolean | undefined =>
      expiringTokens([client('a', token('a', NOW_MS))], nowMs)[0]?.hasExpired;
    expect([hasExpired(NOW_MS - 1), hasExpired(NOW_MS)]).toEqual([false, true]);
  });
});

describe('the next expiry of a client', () => {
  it('is the soonest that has not passed', () => {
    const times = [NOW_MS + 3 * DAY_MS, NOW_MS - DAY_MS, NOW_MS + 2 * DAY_MS, undefined, NOW_MS];
    expect(nextExpirySeconds(client('a', ...times.map((ms) => token('a', ms))), NOW_MS)).toBe(
      NOW_MS / 1000 + 2 * 24 * 60 * 60,
    );
  });

  it('is none if no token expires, or all have', () => {
    expect(nextExpirySeconds(client('a', token('a')), NOW_MS)).toBeUndefined();
    expect(nextExpirySeconds(client('a', token('a', NOW_MS)), NOW_MS)).toBeUndefined();
    expect(nextExpirySeconds(client('a'), NOW_MS)).toBeUndefined();
  });
});
