import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { addressOf } from '../../../../test/support/relays/directory.js';
import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { FakeSessionChecker } from '../../../../test/support/relays/fake-session-checker.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { Peer } from './peer.js';
import { TunnelFailedError, type TunnelFailureCode } from './peers.errors.js';
import type { CheckResult } from './session-checker.js';

const ALIVE_MS = 5_000;

let clock: HandMovedClock;
let client: FakePairingClient;
let checker: FakeSessionChecker;
let peer: Peer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  clock = new HandMovedClock();
  client = new FakePairingClient(clock, { lifetimeSeconds: 1_000, maxMessages: 10 });
  checker = new FakeSessionChecker();
  const log = new RelayLog('silent');
  peer = new Peer(
    addressOf('http://b.example'),
    client.asPairingClient,
    checker.asSessionChecker,
    clock,
    log,
  );
});

afterEach(() => {
  peer.close();
  vi.useRealTimers();
});

const failure = (code: TunnelFailureCode): TunnelFailedError =>
  new TunnelFailedError(code, 'no', 'the check failed');
const unclear: CheckResult = { kind: 'unclear', failure: failure('RELAY_PEER_REFUSED_MESSAGE') };
const failed = (code: TunnelFailureCode): CheckResult => ({
  kind: 'failed',
  failure: failure(code),
});

/** Pairs, and lets the session come into doubt. */
async function sessionInDoubt(): Promise<string> {
  const { session } = await peer.reserve();
  clock.advance(ALIVE_MS);
  return session.sid;
}

describe('a session is checked before it matters', () => {
  it('if 5 s have passed since the pairing', async () => {
    await peer.reserve();
    clock.advance(ALIVE_MS - 1);
    await peer.reserveChecked();
    expect(checker.sequences).toEqual([]);
    clock.advance(1);
    expect(await peer.reserveChecked()).toMatchObject({ sequence: 4 });
    expect(checker.sequences).toEqual([3]);
  });

  it('if 5 s have passed since the latest message was sent whose response was opened', async () => {
    const { session } = await peer.reserve();
    clock.advance(ALIVE_MS);
    session.noteAlive(clock.monotonicMs() - 1);
    await peer.reserveChecked();
    expect(checker.sequences).toEqual([]);
    clock.advance(ALIVE_MS - 1);
    await peer.reserveChecked();
    expect(checker.sequences).toHaveLength(1);
  });

  it('if a connection to the peer has ended since then', async () => {
    const { session } = await peer.reserve();
    peer.noteDisconnect();
    await peer.reserveChecked();
    expect(checker.sequences).toHaveLength(1);
    clock.advance(1);
    session.noteAlive(clock.monotonicMs());
    await peer.reserveChecked();
    expect(checker.sequences).toHaveLength(1);
  });

  it('never for a message that does not ask for it', async () => {
    await sessionInDoubt();
    peer.noteDisconnect();
    await peer.reserve();
    expect(checker.sequences).toEqual([]);
  });

  it('never if it has just been paired', async () => {
    await peer.reserveChecked();
    expect(checker.sequences).toEqual([]);
  });
});

describe('a check', () => {
  it('serves all messages that wait', async () => {
    await sessionInDoubt();
    let show: (result: CheckResult) => void = () => undefined;
    checker.willShow(
      new Promise((resolve) => {
        show = resolve;
      }),
    );
    const reservations = Array.from({ length: 5 }, () => peer.reserveChecked());
    await nextTurn();
    show({ kind: 'alive' });
    const taken = await Promise.all(reservations);
    expect(checker.sequences).toEqual([2]);
    expect(taken.map(({ sequence }) => sequence).sort()).toEqual([3, 4, 5, 6, 7]);
  });

  it('that shows the session to be alive counts from when it was sent', async () => {
    await sessionInDoubt();
    let show: (result: CheckResult) => void = () => undefined;
    checker.willShow(
      new Promise((resolve) => {
        show = resolve;
      }),
    );
    const reservation = peer.reserveChecked();
    await nextTurn();
    clock.advance(ALIVE_MS);
    show({ kind: 'alive' });
    await reservation;
    await peer.reserveChecked();
    expect(checker.sequences).toHaveLength(2);
  });

  it('that shows the session to be gone leads to another pairing, and nothing fails', async () => {
    const first = await sessionInDoubt();
    checker.willShow({ kind: 'gone' });
    const { session, sequence } = await peer.reserveChecked();
    expect(session.sid).not.toBe(first);
    expect(sequence).toBe(1);
    expect(client.pairings).toBe(2);
  });

  it('that shows nothing is repeated once under a new number', async () => {
    const first = await sessionInDoubt();
    checker.willShow(unclear);
    expect(await peer.reserveChecked()).toMatchObject({ session: { sid: first }, sequence: 4 });
    expect(checker.sequences).toEqual([2, 3]);
  });

  it('that shows nothing twice fails the message, and the session is replaced for the next', async () => {
    const first = await sessionInDoubt();
    checker.willShow(unclear, unclear);
    await expect(peer.reserveChecked()).rejects.toMatchObject({
      code: 'RELAY_PEER_REFUSED_MESSAGE',
      forwarded: 'no',
    });
    expect((await peer.reserveChecked()).session.sid).not.toBe(first);
    expect(checker.sequences).toHaveLength(2);
  });

  it('takes no number of a session that has none left, which is replaced instead', async () => {
    const { session } = await peer.reserve();
    client.hold();
    for (let taken = 1; taken < 9; taken += 1) {
      await peer.reserve();
    }
    clock.advance(ALIVE_MS);
    checker.willShow(unclear);
    const reservation = peer.reserveChecked();
    await nextTurn();
    client.release();
    expect((await reservation).session).not.toBe(session);
    expect(checker.sequences).toEqual([10]);
  });
});

describe('a check that fails', () => {
  it.each(['RELAY_PEER_UNREACHABLE', 'RELAY_PEER_CONNECT_TIMEOUT', 'RELAY_PEER_TIMEOUT'] as const)(
    'with %s fails the message, and the peer is unreachable',
    async (code) => {
      await sessionInDoubt();
      checker.willShow(failed(code));
      await expect(peer.reserveChecked()).rejects.toMatchObject({ code, forwarded: 'no' });
      await expect(peer.reserve()).rejects.toMatchObject({ code, retryAfter: 1 });
      expect(peer.state).toBe('unreachable');
    },
  );

  it('with an unauthenticated response fails the message, and another session is paired in the background', async () => {
    const first = await sessionInDoubt();
    checker.willShow(failed('RELAY_PEER_ANSWER_INVALID'));
    await expect(peer.reserveChecked()).rejects.toMatchObject({
      code: 'RELAY_PEER_ANSWER_INVALID',
      forwarded: 'no',
    });
    await nextTurn();
    expect(client.pairings).toBe(2);
    expect((await peer.reserve()).session.sid).not.toBe(first);
  });

  it('because of the session store of the peer fails the message, and the session remains in use', async () => {
    const first = await sessionInDoubt();
    checker.willShow(failed('RELAY_PEER_STORE_UNAVAILABLE'));
    await expect(peer.reserveChecked()).rejects.toMatchObject({ forwarded: 'no' });
    expect((await peer.reserveChecked()).session.sid).toBe(first);
    expect(client.pairings).toBe(1);
  });
});

describe('a replacement', () => {
  it('has the next number of the same session, and names the number that it replaces', async () => {
    const original = await peer.reserve();
    await peer.reserve();
    clock.advance(3_000);
    expect(peer.canReplace(original)).toBe(true);
    expect(peer.replace(original)).toMatchObject({
      session: original.session,
      sequence: 3,
      replaces: 1,
      ageSeconds: 3,
    });
  });

  it('is impossible once the session takes no more messages', async () => {
    const original = await peer.reserve();
    clock.advance(900_000);
    expect(peer.canReplace(original)).toBe(false);
  });
});

describe('a message that joins a check that was sent before it', () => {
  it('causes another one if a connection ended in between', async () => {
    const first = await sessionInDoubt();
    let show: (result: CheckResult) => void = () => undefined;
    checker.willShow(
      new Promise((resolve) => {
        show = resolve;
      }),
      { kind: 'gone' },
    );
    const earlier = peer.reserveChecked();
    await nextTurn();
    clock.advance(100);
    peer.noteDisconnect();
    const later = peer.reserveChecked();
    await nextTurn();
    show({ kind: 'alive' });
    await earlier;
    expect((await later).session.sid).not.toBe(first);
    expect(checker.sequences).toHaveLength(2);
  });

  it('does not fail with it if the session has been replaced meanwhile', async () => {
    const first = await sessionInDoubt();
    let show: (result: CheckResult) => void = () => undefined;
    checker.willShow(
      unclear,
      new Promise((resolve) => {
        show = resolve;
      }),
    );
    const waiting = peer.reserveChecked();
    await nextTurn();
    peer.suspect();
    await vi.waitFor(() => {
      expect(client.pairings).toBe(2);
    });
    await nextTurn();
    show(unclear);
    expect((await waiting).session.sid).not.toBe(first);
  });
});
