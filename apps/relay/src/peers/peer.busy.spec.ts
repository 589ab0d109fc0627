import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { createPeer } from '../../../../test/support/relays/peer.js';
import { TunnelFailedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import type { Peer } from './peer.js';

let clock: HandMovedClock;
let client: FakePairingClient;
let peer: Peer;

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
  clock = new HandMovedClock();
  client = new FakePairingClient(clock);
  peer = createPeer(client, clock);
  return () => {
    vi.restoreAllMocks();
  };
});

describe.each([
  ['whose session store is unavailable', 'RELAY_PEER_STORE_UNAVAILABLE'],
  ['that is overloaded', 'RELAY_BUSY'],
] as const)('a peer %s', (_how, code) => {
  const busy = new TunnelFailedError(code, 'no', 'not now');

  it('is paired with again after 250 ms, doubling up to 2 s, because it may recover within moments', async () => {
    for (const ms of [250, 500, 1_000, 2_000, 2_000, 2_000]) {
      client.failWith(busy);
      await expect(peer.reserve()).rejects.toMatchObject({ code });
      const { pairings } = client;
      clock.advance(ms - 1);
      await expect(peer.reserve()).rejects.toMatchObject({ code, forwarded: 'no' });
      expect(client.pairings).toBe(pairings);
      clock.advance(1);
    }
    await peer.reserve();
  });

  it('is paired with again after 250 ms if this happens again after a success', async () => {
    for (let outage = 1; outage <= 2; outage += 1) {
      client.failWith(busy);
      await expect(peer.reserve()).rejects.toMatchObject({ code });
      clock.advance(250);
      const { session } = await peer.reserve();
      peer.drop(session.sid);
    }
  });

  it('keeps the session that still exists in use', async () => {
    const { session } = await peer.reserve();
    client.failWith(busy);
    peer.suspect();
    await vi.waitFor(() => {
      expect(client.pairings).toBe(2);
    });
    expect((await peer.reserve()).session).toBe(session);
  });
});
