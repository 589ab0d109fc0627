import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';

import {
  audienceHash,
  deriveSecretKeys,
  sealSessionBlob,
  type TunnelHeader,
} from '@relay/protocol';

import { audiencesOf } from '../../../test/support/relays/directory.js';
import { relayConfig } from '../../../test/support/relays/config.js';
import { HandMovedClock } from '../../../test/support/time/hand-moved-clock.js';
import type { SessionStore } from './session-store.js';
import {
  MarkFailedError,
  MessageReplayedError,
  PairNotSavedError,
  PairStoreUnavailableError,
  SessionExpiredError,
  SessionStoreUnavailableError,
  SessionUnknownError,
} from './session.errors.js';
import { SessionService } from './session.service.js';

const EPOCH = '0'.repeat(40);
const SID = 'E2uOwaOy1rJ0iSmtbBjUiw';
const config = relayConfig({ SESSION_MAX_MESSAGES: '10' });

const secretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
const owner = { identity: `${secretKeys.kid}.relay-a`, secretKeys };
const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
const paired = { keys, audience: 'https://relay-b.example' };
const session = {
  sid: SID,
  audience: '',
  keys,
  blobHead: Buffer.alloc(56),
  startedAtMs: 0,
  expiresAtMs: 1,
};

const numbered = (sequence: number): TunnelHeader => ({
  raw: '',
  sid: SID,
  sequence,
  ageSeconds: 0,
  type: 'mke',
});

/** A live session's blob, as a store returns it. */
function blobUntil(expiresAtMs: number): Buffer {
  const stored = {
    keys,
    expiresAtMs,
    lifetimeSeconds: 300,
    audienceHash: audienceHash(paired.audience),
  };
  return sealSessionBlob(stored, secretKeys, SID, owner.identity, EPOCH);
}

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
  return new SessionService(store, clock, config, audiencesOf(config));
}

describe('a store that is unavailable', () => {
  it('makes RESERVE fail with PairStoreUnavailableError', async () => {
    await expect(sessionsOver({}).reserve(SID)).rejects.toSatisfy(
      (error) => error instanceof PairStoreUnavailableError && error.cause === outage,
    );
  });

  it('makes PUT fail with PairNotSavedError', async () => {
    await expect(sessionsOver({}).save(SID, owner, paired, EPOCH)).rejects.toSatisfy(
      (error) => error instanceof PairNotSavedError && error.cause === outage,
    );
  });

  it('makes OPEN fail with SessionStoreUnavailableError, never with SessionUnknownError', async () => {
    await expect(sessionsOver({}).open(numbered(1), owner)).rejects.toBeInstanceOf(
      SessionStoreUnavailableError,
    );
  });

  it('makes MARK fail with MarkFailedError: the number may have been consumed', async () => {
    await expect(sessionsOver({}).mark(session, numbered(1))).rejects.toSatisfy(
      (error) => error instanceof MarkFailedError && error.cause === outage,
    );
  });
});

describe.each([
  ['its lifetime', 0, 1],
  ['its sequence limit', 1000, 11],
])('a message of a session past %s', (_limit, remainingMs, sequence) => {
  const openOver = (working: Partial<SessionStore>): Promise<unknown> => {
    const clock = new HandMovedClock();
    const blob = blobUntil(clock.nowMs() + remainingMs);
    const store = { open: () => Promise.resolve(blob), ...working };
    return sessionsOver(store, clock).open(numbered(sequence), owner);
  };

  it('fails with SessionStoreUnavailableError if MARK fails: it may run elsewhere', async () => {
    const kill = vi.fn(() => Promise.resolve());
    await expect(openOver({ kill })).rejects.toBe(outage);
    expect(kill).not.toHaveBeenCalled();
  });

  it('fails with SessionExpiredError although KILL fails: its number is consumed', async () => {
    await expect(openOver({ mark: () => Promise.resolve('first') })).rejects.toSatisfy(
      (error) => error instanceof SessionExpiredError && error.cause === outage,
    );
  });

  it.each([
    ['replay', MessageReplayedError],
    ['original-marked', MessageReplayedError],
    ['dead', SessionUnknownError],
  ] as const)('that MARK reports as %s does not end the session', async (outcome, error) => {
    const kill = vi.fn(() => Promise.resolve());
    await expect(openOver({ mark: () => Promise.resolve(outcome), kill })).rejects.toBeInstanceOf(
      error,
    );
    expect(kill).not.toHaveBeenCalled();
  });
});

describe('a mark', () => {
  it('identifies the session by the head of the blob that was opened', async () => {
    const clock = new HandMovedClock();
    const blob = blobUntil(clock.nowMs() + 1);
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
    const header = { ...numbered(7), replaces: 5 };
    await sessions.mark(await sessions.open(header, owner), header);
    expect(marked).toEqual([
      [SID, expect.objectContaining({ sequence: 7, replaces: 5 }), blob.subarray(0, 56)],
    ]);
  });
});
