import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { FakeSessionChecker } from '../../../../test/support/relays/fake-session-checker.js';
import { TunnelFailedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { RelayLog } from '../telemetry/relay-log.js';
import type { PeerClient } from './peer-client.js';
import { PeersService } from './peers.service.js';

const unreachable = new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');

let peers: PeersService;
let checker: FakeSessionChecker;
let disconnect: (origin: string) => void;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const clock = new HandMovedClock();
  const peerClient = {
    onDisconnect(listener: (origin: string) => void): void {
      disconnect = listener;
    },
  };
  checker = new FakeSessionChecker();
  peers = new PeersService(
    new FakePairingClient(clock).asPairingClient,
    checker.asSessionChecker,
    peerClient as PeerClient,
    clock,
    new RelayLog('silent'),
  );
});

afterEach(() => {
  vi.useRealTimers();
});

describe('peers', () => {
  it('are unique for each origin', () => {
    const one = peers.peer('http://one.example');
    expect(peers.peer('http://one.example')).toBe(one);
    expect(peers.peer('https://one.example')).not.toBe(one);
    expect(one.origin).toBe('http://one.example');
  });

  it('are at most 1,000, of which the least recently used is closed and forgotten', () => {
    const first = peers.peer('http://0.example');
    const second = peers.peer('http://1.example');
    second.reachability.reportUnreachable(unreachable);
    for (let at = 2; at < 1_000; at += 1) {
      peers.peer(`http://${at}.example`);
    }
    expect(peers.peer('http://0.example')).toBe(first);
    expect(vi.getTimerCount()).toBe(1);

    peers.peer('http://1000.example');
    expect(vi.getTimerCount()).toBe(0);
    expect(peers.peer('http://0.example')).toBe(first);
    expect(peers.peer('http://1.example')).not.toBe(second);
  });

  it('are told of the end of a connection to them alone', async () => {
    for (const origin of ['http://0.example', 'http://1.example']) {
      await peers.peer(origin).reserve();
    }
    disconnect('http://0.example');
    disconnect('http://unknown.example');
    await peers.peer('http://1.example').reserveChecked();
    expect(checker.sequences).toEqual([]);
    await peers.peer('http://0.example').reserveChecked();
    expect(checker.sequences).toEqual([2]);
  });

  it('are all closed at shutdown', () => {
    for (const origin of ['http://0.example', 'http://1.example']) {
      peers.peer(origin).reachability.reportUnreachable(unreachable);
    }
    expect(vi.getTimerCount()).toBe(2);
    peers.onApplicationShutdown();
    expect(vi.getTimerCount()).toBe(0);
  });
});
