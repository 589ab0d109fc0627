import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  BLOB_HEAD_BYTES,
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
  AudienceRefusedError,
  MessageReplayedError,
  SessionExpiredError,
  SessionRefusedError,
  SessionUnknownError,
} from './session.errors.js';
import { SessionService, type SessionOwner } from './session.service.js';

const LIFETIME_SECONDS = 300;
const LIFETIME_MS = LIFETIME_SECONDS * 1000;
const MAX_MESSAGES = 10;
const AUDIENCE = 'https://relay-b.example';

const config = relayConfig({
  SESSION_LIFETIME_SECONDS: String(LIFETIME_SECONDS),
  SESSION_MAX_MESSAGES: String(MAX_MESSAGES),
});

let secretKeys: SecretKeys;
let owner: SessionOwner;
let clock: HandMovedClock;
let store: MemorySessionStore;
let sessions: SessionService;

beforeAll(async () => {
  secretKeys = await deriveSecretKeys('a-secret-that-both-relays-hold-1');
  owner = { identity: `${secretKeys.kid}.relay-a`, secretKeys };
});

beforeEach(() => {
  clock = new HandMovedClock();
  store = new MemorySessionStore(clock, LIFETIME_MS);
  sessions = new SessionService(store, clock, config, audiencesOf(config));
});

const newSid = (): string => randomBytes(16).toString('base64url');

/** Creates a session that is ready for messages, and returns its id. */
async function paired(audience = AUDIENCE): Promise<string> {
  const sid = newSid();
  const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
  await sessions.save(sid, owner, { keys, audience }, await sessions.reserve(sid));
  return sid;
}

/** The header of a message, as its sender's age of the session and any number that it replaces make it. */
const headerOf = (
  sid: string,
  sequence: number,
  { replaces, ageSeconds = 0 }: Partial<TunnelHeader> = {},
): TunnelHeader => ({ raw: '', sid, sequence, replaces, ageSeconds, type: 'mke' });

/** Opens the session of a message and consumes its number. */
async function openAndMark(header: TunnelHeader): Promise<void> {
  await sessions.mark(await sessions.open(header, owner), header);
}

/** The beginning of a live session's blob, which MARK compares. */
const headOf = async (sid: string): Promise<Buffer> =>
  (await store.open(sid))!.subarray(0, BLOB_HEAD_BYTES);

describe.each<[limit: string, ageMs: number, sequence: number]>([
  ['its lifetime', LIFETIME_MS, 2],
  ['its sequence limit', 0, MAX_MESSAGES + 2],
])('a message of a session past %s', (_limit, ageMs, sequence) => {
  const open = (header: TunnelHeader) => sessions.open(header, owner);

  it('is consumed before the session ends: only then is it certain that it was never forwarded', async () => {
    const sid = await paired();
    const mark = vi.spyOn(store, 'mark');
    const kill = vi.spyOn(store, 'kill');
    clock.jump(ageMs);
    await expect(open(headerOf(sid, sequence))).rejects.toBeInstanceOf(SessionExpiredError);
    expect(mark).toHaveBeenCalledOnce();
    expect(mark).toHaveBeenCalledWith(
      sid,
      expect.objectContaining({ sequence }),
      expect.any(Buffer),
    );
    expect(kill).toHaveBeenCalledExactlyOnceWith(sid);
    expect(mark.mock.invocationCallOrder[0]).toBeLessThan(kill.mock.invocationCallOrder[0]!);
    await expect(open(headerOf(sid, 1))).rejects.toBeInstanceOf(SessionUnknownError);
  });

  it('is a replay if it was consumed before, and the session stays live', async () => {
    const sid = await paired();
    await store.mark(sid, { sequence }, await headOf(sid));
    const kill = vi.spyOn(store, 'kill');
    clock.jump(ageMs);
    await expect(open(headerOf(sid, sequence))).rejects.toBeInstanceOf(MessageReplayedError);
    expect(kill).not.toHaveBeenCalled();
    expect(await store.open(sid)).toBeDefined();
  });

  it('is a replay if the message that it replaces was consumed before', async () => {
    const sid = await paired();
    await store.mark(sid, { sequence: 1 }, await headOf(sid));
    clock.jump(ageMs);
    await expect(open(headerOf(sid, sequence, { replaces: 1 }))).rejects.toBeInstanceOf(
      MessageReplayedError,
    );
  });

  it('consumes the message that it replaces as well', async () => {
    const sid = await paired();
    const mark = vi.spyOn(store, 'mark');
    clock.jump(ageMs);
    await expect(open(headerOf(sid, sequence, { replaces: 1 }))).rejects.toBeInstanceOf(
      SessionExpiredError,
    );
    const [[, numbers]] = mark.mock.calls as [Parameters<typeof store.mark>];
    expect(numbers).toMatchObject({ sequence, replaces: 1 });
  });

  it('of another sender neither is consumed nor ends the session', async () => {
    const sid = await paired();
    const stranger = { identity: `${secretKeys.kid}.relay-b`, secretKeys };
    const mark = vi.spyOn(store, 'mark');
    clock.jump(ageMs);
    await expect(sessions.open(headerOf(sid, sequence), stranger)).rejects.toBeInstanceOf(
      SessionBlobInvalidError,
    );
    expect(mark).not.toHaveBeenCalled();
    expect(await store.open(sid)).toBeDefined();
  });
});

describe('a message that replaces another', () => {
  it('is accepted if the other has not arrived, which is refused from then on', async () => {
    const sid = await paired();
    await openAndMark(headerOf(sid, 2, { replaces: 1 }));
    await expect(openAndMark(headerOf(sid, 1))).rejects.toBeInstanceOf(MessageReplayedError);
  });

  it('is refused if the other has arrived, and the error names both', async () => {
    const sid = await paired();
    await openAndMark(headerOf(sid, 1));
    await expect(openAndMark(headerOf(sid, 2, { replaces: 1 }))).rejects.toSatisfy(
      (error) =>
        error instanceof MessageReplayedError &&
        error.message === 'sequence number 1, which 2 replaces, was used before',
    );
    await expect(openAndMark(headerOf(sid, 2))).rejects.toBeInstanceOf(MessageReplayedError);
    await openAndMark(headerOf(sid, 3));
  });
});

describe('the audience of a session', () => {
  const relayFor = (audiences: string) => {
    const config = relayConfig({
      SESSION_LIFETIME_SECONDS: String(LIFETIME_SECONDS),
      SESSION_MAX_MESSAGES: String(MAX_MESSAGES),
      RELAY_AUDIENCE: audiences,
    });
    return new SessionService(store, clock, config, audiencesOf(config));
  };

  it('is one of those of the relay that opens it', async () => {
    const sid = await paired();
    for (const audiences of [AUDIENCE, `https://other.example,${AUDIENCE}`]) {
      const opened = await relayFor(audiences).open(headerOf(sid, 1), owner);
      expect(opened).toMatchObject({ sid });
    }
  });

  it('keeps every other relay with the same secret and store from opening it', async () => {
    const sid = await paired();
    for (const audiences of [
      'https://other.example',
      'https://relay-b.example:8443',
      'http://relay-b.example',
    ]) {
      await expect(relayFor(audiences).open(headerOf(sid, 1), owner)).rejects.toBeInstanceOf(
        AudienceRefusedError,
      );
    }
    await openAndMark(headerOf(sid, 1));
  });

  it('is compared before anything is consumed, also past a limit of the session', async () => {
    const sid = await paired();
    const mark = vi.spyOn(store, 'mark');
    const kill = vi.spyOn(store, 'kill');
    const other = relayFor('https://other.example');
    const past = headerOf(sid, MAX_MESSAGES + 1);
    await expect(other.open(past, owner)).rejects.toBeInstanceOf(AudienceRefusedError);
    clock.jump(LIFETIME_MS);
    await expect(other.open(headerOf(sid, 1), owner)).rejects.toBeInstanceOf(AudienceRefusedError);
    expect(mark).not.toHaveBeenCalled();
    expect(kill).not.toHaveBeenCalled();
  });

  it("that is this relay's own, and no longer open to the sender, is refused once the number is consumed", async () => {
    const sid = await paired();
    const kill = vi.spyOn(store, 'kill');
    const audiences = { accepts: () => false, isOwn: () => true };
    const own = new SessionService(store, clock, config, audiences);
    await expect(own.open(headerOf(sid, 1), owner)).rejects.toMatchObject({
      constructor: SessionRefusedError,
      proof: expect.any(Buffer) as Buffer,
    });
    await expect(own.open(headerOf(sid, 1), owner)).rejects.toBeInstanceOf(MessageReplayedError);
    await expect(openAndMark(headerOf(sid, 1))).rejects.toBeInstanceOf(MessageReplayedError);
    // Another relay, whose directory is newer or older, may still accept it.
    await openAndMark(headerOf(sid, 2));
    expect(kill).not.toHaveBeenCalled();
  });

  it('does not matter to a relay without RELAY_AUDIENCE', async () => {
    const sid = await paired('https://anybody.example');
    expect(await sessions.open(headerOf(sid, 1), owner)).toMatchObject({ sid });
  });
});

describe('a message', () => {
  /** Whether a message with this age is late, so long after the pairing was answered. */
  const isLate = async (elapsedMs: number, ageSeconds: number): Promise<boolean> => {
    const sid = await paired();
    const header = headerOf(sid, 1, { ageSeconds });
    const session = await sessions.open(header, owner);
    clock.jump(elapsedMs);
    return sessions.isLate(session, header);
  };

  it.each([
    [0, 0],
    [30_000, 0],
    [130_000, 100],
    [100_000, 100],
    [0, 300],
    [100_000, 400],
  ])('that arrives after %i ms with an age of %i s is on time', async (elapsedMs, ageSeconds) => {
    expect(await isLate(elapsedMs, ageSeconds)).toBe(false);
  });

  it.each([
    [30_001, 0],
    [130_001, 100],
    [60_000, 0],
    [0, 301],
    [99_999, 400],
    [-300_001, 0],
  ])('that arrives after %i ms with an age of %i s is late', async (elapsedMs, ageSeconds) => {
    expect(await isLate(elapsedMs, ageSeconds)).toBe(true);
  });

  it('is measured from the pairing, also by a relay with another SESSION_LIFETIME_SECONDS', async () => {
    const sid = await paired();
    clock.jump(100_000);
    const config = relayConfig({ SESSION_LIFETIME_SECONDS: '86400' });
    const other = new SessionService(store, clock, config, audiencesOf(config));
    const header = headerOf(sid, 1, { ageSeconds: 100 });
    const session = await other.open(header, owner);
    expect(session.startedAtMs).toBe(clock.nowMs() - 100_000);
    expect(other.isLate(session, header)).toBe(false);
    expect(other.isLate(session, { ...header, ageSeconds: 69 })).toBe(true);
  });
});
