import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { createPeer } from '../../../../test/support/relays/peer.js';
import { TunnelFailedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import type { Peer } from './peer.js';

const unreachable = new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');
const PROBE_INTERVAL_MS = 1_000;

let clock: HandMovedClock;
let client: FakePairingClient;
let peer: Peer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
  clock = new HandMovedClock();
  client = new FakePairingClient(clock, { lifetimeSeconds: 1_000, maxMessages: 100 });
  peer = createPeer(client, clock);
});

afterEach(() => {
  peer.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Advances all clocks, and lets everything run that becomes due. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
  await nextTurn();
}

/** Makes the peer unreachable after a session with it has been paired. */
async function outage(): Promise<void> {
  client.isThere = false;
  await peer.reserve();
  peer.reachability.reportUnreachable(unreachable);
}

describe('while a peer is unreachable', () => {
  it.each(['RELAY_PEER_UNREACHABLE', 'RELAY_PEER_TIMEOUT'] as const)(
    'messages fail immediately after a pairing that failed with %s',
    async (code) => {
      client.failWith(new TunnelFailedError(code, 'no', 'not there'));
      await expect(peer.reserve()).rejects.toMatchObject({ code });
      await expect(peer.reserve()).rejects.toMatchObject({ code, forwarded: 'no', retryAfter: 1 });
      expect(client.pairings).toBe(1);
    },
  );

  it('messages fail immediately even if there is a session', async () => {
    await outage();
    await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_UNREACHABLE' });
    expect(client.pairings).toBe(1);
  });

  it('pairing is retried after 250 ms, doubling up to 2 s', async () => {
    client.isThere = false;
    for (const ms of [250, 500, 1_000, 2_000, 2_000, 2_000]) {
      client.failWith(unreachable);
      await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_UNREACHABLE' });
      const { pairings } = client;
      clock.advance(ms - 1);
      await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_UNREACHABLE' });
      expect(client.pairings).toBe(pairings);
      clock.advance(1);
    }
  });

  it('the peer is probed once a second, one probe at a time', async () => {
    await outage();
    await pass(PROBE_INTERVAL_MS - 1);
    expect(client.probes).toBe(0);
    await pass(1);
    expect(client.probes).toBe(1);
    for (let second = 2; second <= 5; second += 1) {
      await pass(PROBE_INTERVAL_MS);
      expect(client.probes).toBe(second);
    }
    peer.reachability.reportUnreachable(unreachable);
    peer.reachability.reportUnreachable(unreachable);
    await pass(PROBE_INTERVAL_MS);
    expect(client.probes).toBe(6);
  });

  it('the peer is probed for a minute after the last request to it', async () => {
    await outage();
    for (let second = 0; second < 100; second += 1) {
      await pass(PROBE_INTERVAL_MS);
    }
    expect(client.probes).toBe(60);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('the state is unreachable as long as the peer is probed', async () => {
    await outage();
    expect(peer.state).toBe('unreachable');
    for (let second = 0; second < 60; second += 1) {
      expect(peer.state).toBe('unreachable');
      await pass(PROBE_INTERVAL_MS);
    }
    expect(peer.state).toBe('known');
  });

  it('the peer is probed as long as there are requests to it', async () => {
    await outage();
    for (let second = 0; second < 100; second += 1) {
      await peer.reserve().catch(() => undefined);
      peer.reachability.reportUnreachable(unreachable);
      await pass(PROBE_INTERVAL_MS);
    }
    expect(client.probes).toBe(100);
  });
});

describe('a peer that was never paired', () => {
  beforeEach(async () => {
    client.failWith(unreachable);
    await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_UNREACHABLE' });
  });

  it('is not probed while it is unreachable, because only clients say that it is a relay', async () => {
    expect(vi.getTimerCount()).toBe(0);
    await pass(10 * PROBE_INTERVAL_MS);
    expect(client.probes).toBe(0);
  });

  it('is reported as unreachable for a minute', async () => {
    await pass(60 * PROBE_INTERVAL_MS - 1);
    expect(peer.state).toBe('unreachable');
    await pass(1);
    expect(peer.state).toBe('known');
  });

  it('can be paired after the back-off, and is probed from then on', async () => {
    clock.advance(250);
    await peer.reserve();
    expect(peer.hasPaired).toBe(true);
    peer.reachability.reportUnreachable(unreachable);
    await pass(PROBE_INTERVAL_MS);
    expect(client.probes).toBe(1);
  });
});

describe('an outage ends', () => {
  it('with the first successful probe, after which the session is used again', async () => {
    await outage();
    client.isThere = true;
    await pass(PROBE_INTERVAL_MS);
    await peer.reserve();
    expect(client.pairings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with any response of the peer', async () => {
    await outage();
    peer.reachability.reportReached();
    await peer.reserve();
    expect(client.pairings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with a pairing that succeeds', async () => {
    client.failWith(unreachable);
    await expect(peer.reserve()).rejects.toThrow();
    clock.advance(250);
    await peer.reserve();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('so that the next one begins with the shortest back-off', async () => {
    await outage();
    peer.reachability.reportUnreachable(unreachable);
    peer.reachability.reportReached();
    peer.reachability.reportUnreachable(unreachable);
    clock.advance(249);
    await expect(peer.reserve()).rejects.toThrow();
    clock.advance(1);
    await peer.reserve();
  });

  it('even while a probe is under way, which is then not followed by another', async () => {
    await outage();
    client.holdProbes();
    await pass(PROBE_INTERVAL_MS);
    expect(client.probes).toBe(1);
    peer.reachability.reportReached();
    client.releaseProbes();
    await nextTurn();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a peer that is closed', () => {
  it('is no longer probed', async () => {
    await outage();
    peer.close();
    await pass(10 * PROBE_INTERVAL_MS);
    expect(client.probes).toBe(0);
  });

  it('is no longer probed, even if a probe was under way', async () => {
    await outage();
    client.holdProbes();
    await pass(PROBE_INTERVAL_MS);
    peer.close();
    client.releaseProbes();
    await nextTurn();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not probed when an attempt that was under way fails', async () => {
    await peer.reserve();
    peer.close();
    peer.reachability.reportUnreachable(unreachable);
    await pass(10 * PROBE_INTERVAL_MS);
    expect(client.probes).toBe(0);
  });
});
