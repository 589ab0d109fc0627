import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { TunnelFailedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { PeersService } from './peers.service.js';

const unreachable = new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');

let peers: PeersService;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const clock = new HandMovedClock();
  peers = new PeersService(
    new FakePairingClient(clock).asPairingClient,
    clock,
    new RelayLog('silent'),
    new RelayMetrics(),
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

  it('are all closed at shutdown', () => {
    for (const origin of ['http://0.example', 'http://1.example']) {
      peers.peer(origin).reachability.reportUnreachable(unreachable);
    }
    expect(vi.getTimerCount()).toBe(2);
    peers.onApplicationShutdown();
    expect(vi.getTimerCount()).toBe(0);
  });
});
