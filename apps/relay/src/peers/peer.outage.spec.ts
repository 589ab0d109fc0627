import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/fake-pairing-client.js';
import { TunnelFailedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/hand-moved-clock.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { Peer } from './peer.js';

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
  peer = new Peer('http://b.example', client.asPairingClient, clock, new RelayLog('silent'));
});

afterEach(() => {
  peer.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Lets time pass on all clocks, and what it starts happen. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
  await nextTurn();
}

/** A peer whose session is of no use, as it cannot be reached. */
async function outage(): Promise<void> {
  client.isThere = false;
  await peer.reserve();
  peer.reachability.reportUnreachable(unreachable);
}

describe('while a peer cannot be reached', () => {
  it.each(['RELAY_PEER_UNREACHABLE', 'RELAY_PEER_TIMEOUT'] as const)(
    'messages fail at once after a pairing that failed with %s',
    async (code) => {
      client.failWith(new TunnelFailedError(code, 'no', 'not there'));
      await expect(peer.reserve()).rejects.toMatchObject({ code });
      await expect(peer.reserve()).rejects.toMatchObject({ code, forwarded: 'no', retryAfter: 1 });
      expect(client.pairings).toBe(1);
    },
  );

  it('messages fail at once although there is a session', async () => {
    await outage();
    await expect(peer.reserve()).rejects.toMatchObject({ code: 'RELAY_PEER_UNREACHABLE' });
    expect(client.pairings).toBe(1);
  });

  it('the waits are 250 ms, doubling up to 2 s', async () => {
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

  it('it is probed once a second, one probe at a time', async () => {
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

  it('it is probed for a minute after the last one who asked', async () => {
    await outage();
    for (let second = 0; second < 100; second += 1) {
      await pass(PROBE_INTERVAL_MS);
    }
    expect(client.probes).toBe(60);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('counts as such for as long as it is probed', async () => {
    await outage();
    expect(peer.state).toBe('unreachable');
    for (let second = 0; second < 60; second += 1) {
      expect(peer.state).toBe('unreachable');
      await pass(PROBE_INTERVAL_MS);
    }
    expect(peer.state).toBe('known');
  });

  it('it is probed on while somebody asks', async () => {
    await outage();
    for (let second = 0; second < 100; second += 1) {
      await peer.reserve().catch(() => undefined);
      peer.reachability.reportUnreachable(unreachable);
      await pass(PROBE_INTERVAL_MS);
    }
    expect(client.probes).toBe(100);
  });
});

describe('an outage is over', () => {
  it('with the first probe that is answered: the session serves on', async () => {
    await outage();
    client.isThere = true;
    await pass(PROBE_INTERVAL_MS);
    await peer.reserve();
    expect(client.pairings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('with anything that the peer answers', async () => {
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

  it('and the next one begins with the shortest wait', async () => {
    await outage();
    peer.reachability.reportUnreachable(unreachable);
    peer.reachability.reportReached();
    peer.reachability.reportUnreachable(unreachable);
    clock.advance(249);
    await expect(peer.reserve()).rejects.toThrow();
    clock.advance(1);
    await peer.reserve();
  });

  it('also for a probe that is still under way: it starts no other', async () => {
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
  it('is not probed any more', async () => {
    await outage();
    peer.close();
    await pass(10 * PROBE_INTERVAL_MS);
    expect(client.probes).toBe(0);
  });

  it('is not probed any more, also where a probe was under way', async () => {
    await outage();
    client.holdProbes();
    await pass(PROBE_INTERVAL_MS);
    peer.close();
    client.releaseProbes();
    await nextTurn();
    expect(vi.getTimerCount()).toBe(0);
  });
});
