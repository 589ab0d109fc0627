import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { createPeer } from '../../../../test/support/relays/peer.js';
import {
  FirstPairingLimitError,
  TunnelFailedError,
  type TunnelFailureCode,
} from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import type { Peer } from './peer.js';

const LIFETIME_MS = 1_000_000;
const MAX_MESSAGES = 100;

let clock: HandMovedClock;
let client: FakePairingClient;
let peer: Peer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
  clock = new HandMovedClock();
  client = new FakePairingClient(clock, { lifetimeSeconds: 1_000, maxMessages: MAX_MESSAGES });
  peer = createPeer(client, clock);
});

afterEach(() => {
  peer.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const failure = (code: TunnelFailureCode): TunnelFailedError =>
  new TunnelFailedError(code, 'no', 'pairing failed');

/** The session of the next message. */
async function sid(): Promise<string> {
  return (await peer.reserve()).session.sid;
}

describe('the first messages to a peer', () => {
  it('wait for one pairing, and each receives a different sequence number', async () => {
    client.hold();
    const reservations = Array.from({ length: 50 }, () => peer.reserve());
    await nextTurn();
    client.release();
    const taken = await Promise.all(reservations);
    expect(client.origins).toEqual(['http://b.example']);
    expect(new Set(taken.map(({ session }) => session.sid)).size).toBe(1);
    expect(taken.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
  });

  it('all fail if the pairing fails, and those that follow fail immediately', async () => {
    client.hold();
    const reservations = Array.from({ length: 5 }, () => peer.reserve());
    await nextTurn();
    client.release(failure('RELAY_PAIR_REFUSED'));
    for (const outcome of await Promise.allSettled(reservations)) {
      expect(outcome).toMatchObject({ reason: { code: 'RELAY_PAIR_REFUSED', forwarded: 'no' } });
    }
    await expect(peer.reserve()).rejects.toMatchObject({
      code: 'RELAY_PAIR_REFUSED',
      retryAfter: 1,
    });
    expect(client.pairings).toBe(1);
  });
});

describe('a first pairing that is refused because its client has caused too many', () => {
  it('fails the client at once, and does not keep those of other networks from pairing', async () => {
    client.failWith(new FirstPairingLimitError());
    await expect(peer.reserve('10.0.0.1')).rejects.toMatchObject({
      code: 'RELAY_BUSY',
      forwarded: 'no',
      retryAfter: 1,
    });
    await peer.reserve('10.0.0.2');
    expect(client.networks).toEqual(['10.0.0.1', '10.0.0.2']);
  });
});

describe('a session that is in use', () => {
  it('is used until it is due for renewal, without another pairing', async () => {
    const first = await sid();
    clock.advance(0.75 * LIFETIME_MS - 1);
    expect(await sid()).toBe(first);
    expect(client.pairings).toBe(1);
  });

  it.each([
    ['75 % of its lifetime', 0.75 * LIFETIME_MS, 0],
    ['75 % of its messages', 0, 0.75 * MAX_MESSAGES - 1],
  ])('is renewed in the background from %s on, and is used meanwhile', async (_what, ms, count) => {
    const first = await sid();
    for (let taken = 0; taken < count; taken += 1) {
      await peer.reserve();
    }
    clock.advance(ms);
    expect(client.pairings).toBe(1);

    client.hold();
    expect(await sid()).toBe(first);
    expect(await sid()).toBe(first);
    expect(client.pairings).toBe(2);
    client.release();
    await nextTurn();
    const second = await peer.reserve();
    expect(second.session.sid).not.toBe(first);
    expect(second.sequence).toBe(1);
    expect(client.pairings).toBe(2);
  });

  it('remains in use if its renewal is refused, and the renewal is retried after a back-off', async () => {
    const first = await sid();
    clock.advance(0.75 * LIFETIME_MS);
    client.failWith(failure('RELAY_PAIR_REFUSED'));
    expect(await sid()).toBe(first);
    await nextTurn();
    expect(await sid()).toBe(first);
    expect(client.pairings).toBe(2);
    clock.advance(500);
    expect(await sid()).toBe(first);
    expect(client.pairings).toBe(3);
  });

  it('is no longer used from 90 % of its lifetime on, so that messages wait for the next one', async () => {
    const first = await sid();
    clock.advance(0.9 * LIFETIME_MS);
    const second = await peer.reserve();
    expect(second.session.sid).not.toBe(first);
    expect(second.sequence).toBe(1);
  });

  it('yields exactly its sequence numbers, and later messages receive numbers of the next session', async () => {
    const reservations = await Promise.all(
      Array.from({ length: 2.5 * MAX_MESSAGES }, () => peer.reserve()),
    );
    const bySession = new Map<string, number[]>();
    for (const { session, sequence } of reservations) {
      bySession.set(session.sid, [...(bySession.get(session.sid) ?? []), sequence]);
    }
    for (const sequences of bySession.values()) {
      expect(new Set(sequences).size).toBe(sequences.length);
      expect(Math.max(...sequences)).toBeLessThanOrEqual(MAX_MESSAGES);
    }
    expect(reservations).toHaveLength(2.5 * MAX_MESSAGES);
    expect(client.pairings).toBe(3);
  });
});

describe('a session that the peer no longer knows', () => {
  it('is dropped, and replaced for the next message', async () => {
    const first = await sid();
    peer.drop(first);
    expect(await sid()).not.toBe(first);
    expect(client.pairings).toBe(2);
  });

  it('causes no pairing if it has been replaced meanwhile', async () => {
    const first = await sid();
    peer.drop(first);
    const second = await sid();
    peer.drop(first);
    peer.drop('another');
    expect(await sid()).toBe(second);
    expect(client.pairings).toBe(2);
  });

  it('is replaced once for all concurrent messages', async () => {
    const first = await sid();
    const reservations = Array.from({ length: 20 }, async () => {
      peer.drop(first);
      return sid();
    });
    expect(new Set(await Promise.all(reservations)).size).toBe(1);
    expect(client.pairings).toBe(2);
  });
});

describe('a suspicion against a session', () => {
  it('leaves the session in use until another has been paired', async () => {
    const first = await sid();
    client.hold();
    peer.suspect();
    await nextTurn();
    expect(client.pairings).toBe(2);
    expect(await sid()).toBe(first);
    client.release();
    await nextTurn();
    expect(await sid()).not.toBe(first);
  });

  it('causes at most one pairing in 30 s', async () => {
    await sid();
    for (let count = 0; count < 100; count += 1) {
      peer.suspect();
      await nextTurn();
    }
    expect(client.pairings).toBe(2);
    clock.advance(29_999);
    peer.suspect();
    expect(client.pairings).toBe(2);
    clock.advance(1);
    peer.suspect();
    expect(client.pairings).toBe(3);
  });

  it('leaves the session in use if the pairing fails', async () => {
    const first = await sid();
    client.failWith(failure('RELAY_PAIR_REFUSED'));
    peer.suspect();
    await nextTurn();
    expect(await sid()).toBe(first);
  });
});

describe('a pairing that is refused', () => {
  it('is retried after a back-off that doubles, and not before', async () => {
    for (const ms of [500, 1_000, 2_000]) {
      client.failWith(failure('RELAY_PAIR_REFUSED'));
      await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PAIR_REFUSED' });
      const { pairings } = client;
      clock.advance(ms - 1);
      await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PAIR_REFUSED' });
      expect(client.pairings).toBe(pairings);
      clock.advance(1);
    }
    await peer.reserve();
  });

  it('no longer counts after a success', async () => {
    client.failWith(failure('RELAY_PAIR_REFUSED'));
    await expect(peer.reserve()).rejects.toThrow();
    clock.advance(500);
    peer.drop(await sid());
    client.failWith(failure('RELAY_PEER_STORE_UNAVAILABLE'));
    await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_STORE_UNAVAILABLE' });
    clock.advance(500);
    await peer.reserve();
  });
});

describe('a pairing that fails with a programming error', () => {
  it('throws this error to the caller, and causes no back-off', async () => {
    const mistake = new TypeError('a mistake');
    client.failWith(mistake);
    await expect(peer.reserve()).rejects.toBe(mistake);
    await peer.reserve();
    expect(client.pairings).toBe(2);
  });
});

it('a peer that was forgotten tells so whoever depends on it from then on', () => {
  peer.close();
  const listener = { onUsable: vi.fn(), onClose: vi.fn() };
  peer.listen(listener);
  expect(listener.onClose).toHaveBeenCalledOnce();
});
