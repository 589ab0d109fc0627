import { describe, expect, it } from 'vitest';

import { PeerSession } from './peer-session.js';

const LIFETIME_SECONDS = 1_000;
const LIFETIME_MS = LIFETIME_SECONDS * 1000;
const PAIRED_AT_MS = 5_000;
const keys = { clientToServer: Buffer.alloc(32, 1), serverToClient: Buffer.alloc(32, 2) };

function session(maxMessages = 100): PeerSession {
  const paired = { sid: 'sid', keys, lifetimeSeconds: LIFETIME_SECONDS, maxMessages };
  return new PeerSession(paired, PAIRED_AT_MS);
}

/** A session of which this many sequence numbers have been taken. */
function used(count: number, maxMessages = 100): PeerSession {
  const made = session(maxMessages);
  for (let taken = 0; taken < count; taken += 1) {
    made.takeSequence();
  }
  return made;
}

const at = (share: number): number => PAIRED_AT_MS + share * LIFETIME_MS;

describe('sequence numbers', () => {
  it('begin at 1 and never repeat', () => {
    const made = session();
    expect(Array.from({ length: 5 }, () => made.takeSequence())).toEqual([1, 2, 3, 4, 5]);
  });

  it('are independent of other sessions', () => {
    used(5);
    expect(session().takeSequence()).toBe(1);
  });
});

describe('a session', () => {
  it('is usable for new messages until 90 % of its lifetime', () => {
    expect(session().isUsable(at(0))).toBe(true);
    expect(session().isUsable(at(0.9) - 1)).toBe(true);
    expect(session().isUsable(at(0.9))).toBe(false);
  });

  it('is usable for new messages until its limit of messages', () => {
    expect(used(99).isUsable(at(0))).toBe(true);
    expect(used(100).isUsable(at(0))).toBe(false);
    expect(used(0, 1).isUsable(at(0))).toBe(true);
    expect(used(1, 1).isUsable(at(0))).toBe(false);
  });

  it('is due for renewal from 75 % of its lifetime on', () => {
    expect(session().isDueForRenewal(at(0.75) - 1)).toBe(false);
    expect(session().isDueForRenewal(at(0.75))).toBe(true);
  });

  it('is due for renewal from 75 % of its messages on', () => {
    expect(used(74).isDueForRenewal(at(0))).toBe(false);
    expect(used(75).isDueForRenewal(at(0))).toBe(true);
  });

  it('has an age in whole seconds since its pairing request was sent, of at most 99,999', () => {
    expect(session().ageSeconds(PAIRED_AT_MS)).toBe(0);
    expect(session().ageSeconds(PAIRED_AT_MS + 999)).toBe(0);
    expect(session().ageSeconds(PAIRED_AT_MS + 1_000)).toBe(1);
    expect(session().ageSeconds(PAIRED_AT_MS + 100_000_000)).toBe(99_999);
  });

  it('is in doubt 5 s after the latest message that proves it to be alive, whatever the order of the proofs, or after a disconnection', () => {
    const made = session();
    expect(made.isInDoubt(PAIRED_AT_MS + 4_999, -Infinity)).toBe(false);
    expect(made.isInDoubt(PAIRED_AT_MS + 5_000, -Infinity)).toBe(true);
    made.noteAlive(PAIRED_AT_MS + 20);
    made.noteAlive(PAIRED_AT_MS + 10);
    expect(made.isInDoubt(PAIRED_AT_MS + 5_019, PAIRED_AT_MS + 19)).toBe(false);
    expect(made.isInDoubt(PAIRED_AT_MS + 5_020, PAIRED_AT_MS + 19)).toBe(true);
    expect(made.isInDoubt(PAIRED_AT_MS + 20, PAIRED_AT_MS + 20)).toBe(true);
  });
});
