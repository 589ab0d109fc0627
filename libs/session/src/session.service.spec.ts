import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  SessionBlobInvalidError,
  deriveSecretKeys,
  type SecretKeys,
  type TunnelHeader,
} from '@relay/protocol';

import { audiencesOf } from '../../../test/support/relays/directory.js';
import { relayConfig } from '../../../test/support/relays/config.js';
import { HandMovedClock } from '../../../test/support/time/hand-moved-clock.js';
import { MemorySessionStore } from './memory-session-store.js';
import {
  MessageReplayedError,
  PairNotSavedError,
  PairReplayedError,
  SessionExpiredError,
  SessionUnknownError,
} from './session.errors.js';
import { SessionService, type SessionOwner } from './session.service.js';

const LIFETIME_SECONDS = 300;
const LIFETIME_MS = LIFETIME_SECONDS * 1000;
const MAX_MESSAGES = 10;

const config = relayConfig({
  SESSION_LIFETIME_SECONDS: String(LIFETIME_SECONDS),
  SESSION_MAX_MESSAGES: String(MAX_MESSAGES),
});

let secretKeys: SecretKeys;
let otherSecretKeys: SecretKeys;
let owner: SessionOwner;
let clock: HandMovedClock;
let store: MemorySessionStore;
let sessions: SessionService;

beforeAll(async () => {
  secretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
  otherSecretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-2');
  owner = { identity: `${secretKeys.kid}.relay-a`, secretKeys };
});

beforeEach(() => {
  clock = new HandMovedClock();
  store = new MemorySessionStore(clock, LIFETIME_MS);
  sessions = new SessionService(store, clock, config, audiencesOf(config));
});

const newSid = (): string => randomBytes(16).toString('base64url');
const newKeys = () => ({ clientToServer: randomBytes(32), serverToClient: randomBytes(32) });

const newPaired = (keys = newKeys()) => ({ keys, audience: 'https://relay-b.example' });

/** Creates a session that is ready for messages, and returns its id. */
async function paired(keys = newKeys()): Promise<string> {
  const sid = newSid();
  await sessions.save(sid, owner, newPaired(keys), await sessions.reserve(sid));
  return sid;
}

const headerOf = (sid: string, sequence: number): TunnelHeader => ({
  raw: '',
  sid,
  sequence,
  ageSeconds: 0,
  type: 'mke',
});

/** Opens the session of a message and consumes its number. */
async function openAndMark(header: TunnelHeader): Promise<void> {
  await sessions.mark(await sessions.open(header, owner), header);
}

describe('a saved session', () => {
  it('opens with its keys any number of times', async () => {
    const keys = newKeys();
    const sid = await paired(keys);
    for (const sequence of [1, MAX_MESSAGES, 1]) {
      expect(await sessions.open(headerOf(sid, sequence), owner)).toMatchObject({ sid, keys });
    }
  });

  it('accepts each sequence number once', async () => {
    const session = await sessions.open(headerOf(await paired(), 1), owner);
    await sessions.mark(session, { sequence: 1 });
    await expect(sessions.mark(session, { sequence: 1 })).rejects.toBeInstanceOf(
      MessageReplayedError,
    );
    await sessions.mark(session, { sequence: 2 });
    await expect(sessions.mark(session, { sequence: 2 })).rejects.toBeInstanceOf(
      MessageReplayedError,
    );
  });

  it('stays live after a replay', async () => {
    const sid = await paired();
    const session = await sessions.open(headerOf(sid, 1), owner);
    await sessions.mark(session, { sequence: 1 });
    await expect(sessions.mark(session, { sequence: 1 })).rejects.toBeInstanceOf(
      MessageReplayedError,
    );
    await openAndMark(headerOf(sid, 2));
  });

  it('accepts a sequence number once when many callers mark it concurrently', async () => {
    const session = await sessions.open(headerOf(await paired(), 1), owner);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () => sessions.mark(session, { sequence: 3 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not share its sequence numbers with another session', async () => {
    const one = await sessions.open(headerOf(await paired(), 1), owner);
    const other = await sessions.open(headerOf(await paired(), 1), owner);
    await sessions.mark(one, { sequence: 1 });
    await sessions.mark(other, { sequence: 1 });
  });
});

describe('the lifetime of a session', () => {
  it('ends exactly to the millisecond, by the wall clock', async () => {
    const sid = await paired();
    clock.jump(LIFETIME_MS - 1);
    await sessions.open(headerOf(sid, 1), owner);
    clock.jump(1);
    await expect(sessions.open(headerOf(sid, 2), owner)).rejects.toBeInstanceOf(
      SessionExpiredError,
    );
  });

  it('is absolute: use does not extend it', async () => {
    const sid = await paired();
    for (let sequence = 1; sequence < 4; sequence += 1) {
      clock.jump(LIFETIME_MS / 4);
      await openAndMark(headerOf(sid, sequence));
    }
    clock.jump(LIFETIME_MS / 4);
    await expect(sessions.open(headerOf(sid, 4), owner)).rejects.toBeInstanceOf(
      SessionExpiredError,
    );
  });

  it('ends with a kill: a clock that is set back does not revive the session', async () => {
    const sid = await paired();
    const session = await sessions.open(headerOf(sid, 1), owner);
    clock.jump(LIFETIME_MS);
    await expect(sessions.open(headerOf(sid, 2), owner)).rejects.toBeInstanceOf(
      SessionExpiredError,
    );
    clock.jump(-LIFETIME_MS);
    await expect(sessions.open(headerOf(sid, 2), owner)).rejects.toBeInstanceOf(
      SessionUnknownError,
    );
    await expect(sessions.mark(session, { sequence: 1 })).rejects.toBeInstanceOf(
      SessionUnknownError,
    );
  });
});

describe('the sequence limit of a session', () => {
  it('is the last sequence number that may be used', async () => {
    const sid = await paired();
    await openAndMark(headerOf(sid, MAX_MESSAGES));
  });

  it('kills the session when it is exceeded, including all lower numbers', async () => {
    const sid = await paired();
    const session = await sessions.open(headerOf(sid, 1), owner);
    await expect(sessions.open(headerOf(sid, MAX_MESSAGES + 1), owner)).rejects.toBeInstanceOf(
      SessionExpiredError,
    );
    await expect(sessions.open(headerOf(sid, 2), owner)).rejects.toBeInstanceOf(
      SessionUnknownError,
    );
    await expect(sessions.mark(session, { sequence: 1 })).rejects.toBeInstanceOf(
      SessionUnknownError,
    );
    await expect(sessions.reserve(sid)).rejects.toBeInstanceOf(PairReplayedError);
  });
});

describe('a session id', () => {
  it('that was never saved is unknown when opened, and dead from then on', async () => {
    const sid = newSid();
    await expect(sessions.open(headerOf(sid, 1), owner)).rejects.toBeInstanceOf(
      SessionUnknownError,
    );
    await expect(sessions.reserve(sid)).rejects.toBeInstanceOf(PairReplayedError);
  });

  it('can be reserved only once, even after it was saved', async () => {
    const sid = newSid();
    const epoch = await sessions.reserve(sid);
    await expect(sessions.reserve(sid)).rejects.toBeInstanceOf(PairReplayedError);
    await sessions.save(sid, owner, newPaired(), epoch);
    await expect(sessions.reserve(sid)).rejects.toBeInstanceOf(PairReplayedError);
    await sessions.open(headerOf(sid, 1), owner);
  });

  it('cannot be saved without a reservation, or twice', async () => {
    const sid = newSid();
    const epoch = await sessions.reserve(newSid());
    await expect(sessions.save(sid, owner, newPaired(), epoch)).rejects.toBeInstanceOf(
      PairNotSavedError,
    );
    const keys = newKeys();
    await sessions.save(sid, owner, newPaired(keys), await sessions.reserve(sid));
    await expect(sessions.save(sid, owner, newPaired(), epoch)).rejects.toBeInstanceOf(
      PairNotSavedError,
    );
    expect((await sessions.open(headerOf(sid, 1), owner)).keys).toEqual(keys);
  });

  it('cannot be saved for another epoch than the current one', async () => {
    const sid = newSid();
    await sessions.reserve(sid);
    await expect(sessions.save(sid, owner, newPaired(), 'f'.repeat(40))).rejects.toBeInstanceOf(
      PairNotSavedError,
    );
  });
});

describe('another sender', () => {
  it('cannot open a session, and does not end it by trying', async () => {
    const sid = await paired();
    const strangers: SessionOwner[] = [
      { identity: `${secretKeys.kid}.relay-b`, secretKeys },
      { identity: owner.identity, secretKeys: otherSecretKeys },
      { identity: `${otherSecretKeys.kid}.relay-a`, secretKeys: otherSecretKeys },
    ];
    for (const stranger of strangers) {
      await expect(sessions.open(headerOf(sid, 1), stranger)).rejects.toBeInstanceOf(
        SessionBlobInvalidError,
      );
    }
    await openAndMark(headerOf(sid, 1));
  });
});
