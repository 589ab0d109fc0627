import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { deriveSecretKeys, sealSessionBlob } from '@relay/protocol';

import { relayConfig } from '../../../test/support/relays/config.js';
import { HandMovedClock } from '../../../test/support/time/hand-moved-clock.js';
import type { SessionStore } from './session-store.js';
import {
  MarkFailedError,
  PairNotSavedError,
  PairStoreUnavailableError,
  SessionStoreUnavailableError,
} from './session.errors.js';
import { SessionService } from './session.service.js';

const EPOCH = '0'.repeat(40);
const SID = 'E2uOwaOy1rJ0iSmtbBjUiw';
const config = relayConfig({ SESSION_MAX_MESSAGES: '10' });

const secretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
const owner = { identity: `${secretKeys.kid}.relay-a`, secretKeys };
const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
const session = { sid: SID, keys, blobHead: Buffer.alloc(56) };

const outage = new SessionStoreUnavailableError('the store does not reply');
const reject = (): Promise<never> => Promise.reject(outage);

/** A service over a store in which only the given operations work. */
function sessionsOver(working: Partial<SessionStore>, clock = new HandMovedClock()) {
  const store: SessionStore = {
    reserve: reject,
    put: reject,
    open: reject,
    mark: reject,
    kill: reject,
    ...working,
  };
  return new SessionService(store, clock, config);
}

describe('a store that is unavailable', () => {
  it('makes RESERVE fail with PairStoreUnavailableError', async () => {
    await expect(sessionsOver({}).reserve(SID)).rejects.toSatisfy(
      (error) => error instanceof PairStoreUnavailableError && error.cause === outage,
    );
  });

  it('makes PUT fail with PairNotSavedError', async () => {
    await expect(sessionsOver({}).save(SID, owner, keys, EPOCH)).rejects.toSatisfy(
      (error) => error instanceof PairNotSavedError && error.cause === outage,
    );
  });

  it('makes OPEN fail with SessionStoreUnavailableError, never with SessionUnknownError', async () => {
    await expect(sessionsOver({}).open(SID, 1, owner)).rejects.toBeInstanceOf(
      SessionStoreUnavailableError,
    );
  });

  it('makes MARK fail with MarkFailedError: the number may have been consumed', async () => {
    await expect(sessionsOver({}).mark(session, 1)).rejects.toSatisfy(
      (error) => error instanceof MarkFailedError && error.cause === outage,
    );
  });

  it('makes KILL at the sequence limit fail with SessionStoreUnavailableError', async () => {
    await expect(sessionsOver({}).open(SID, 11, owner)).rejects.toBeInstanceOf(
      SessionStoreUnavailableError,
    );
  });

  it('makes KILL at the end of the lifetime fail with SessionStoreUnavailableError', async () => {
    const clock = new HandMovedClock();
    const stored = { keys, expiresAtMs: clock.nowMs() };
    const blob = sealSessionBlob(stored, secretKeys, SID, owner.identity, EPOCH);
    const sessions = sessionsOver({ open: () => Promise.resolve(blob) }, clock);
    await expect(sessions.open(SID, 1, owner)).rejects.toBeInstanceOf(SessionStoreUnavailableError);
  });
});

describe('a sequence number over the limit', () => {
  it('kills the session without opening it', async () => {
    const calls: string[] = [];
    const sessions = sessionsOver({
      kill: (sid) => {
        calls.push(`kill ${sid}`);
        return Promise.resolve();
      },
      open: (sid) => {
        calls.push(`open ${sid}`);
        return reject();
      },
    });
    await expect(sessions.open(SID, 11, owner)).rejects.toMatchObject({
      code: 'RELAY_SESSION_EXPIRED',
    });
    expect(calls).toEqual([`kill ${SID}`]);
  });
});

describe('a mark', () => {
  it('identifies the session by the head of the blob that was opened', async () => {
    const clock = new HandMovedClock();
    const stored = { keys, expiresAtMs: clock.nowMs() + 1 };
    const blob = sealSessionBlob(stored, secretKeys, SID, owner.identity, EPOCH);
    const marked: unknown[] = [];
    const sessions = sessionsOver(
      {
        open: () => Promise.resolve(blob),
        mark: (...given) => {
          marked.push(given);
          return Promise.resolve('first');
        },
      },
      clock,
    );
    await sessions.mark(await sessions.open(SID, 7, owner), 7);
    expect(marked).toEqual([[SID, 7, blob.subarray(0, 56)]]);
  });
});
