import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { PeerEntry } from '@relay/config';
import { RelayName } from '@relay/signature';

import { addressOf, KEYLESS_DIRECTORY } from '../../../../test/support/relays/directory.js';
import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { FakeSessionChecker } from '../../../../test/support/relays/fake-session-checker.js';
import { TunnelFailedError, UpstreamRefusedError } from './peers.errors.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { RelayLog } from '../telemetry/relay-log.js';
import { DirectoryService } from '../directory/directory.service.js';
import type { PeerClient } from './peer-client.js';
import type { Peer } from './peer.js';
import { PeersService } from './peers.service.js';

const unreachable = new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');

let client: FakePairingClient;
let peers: PeersService;
let checker: FakeSessionChecker;
let disconnect: (origin: string) => void;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

const nameAll = (numbers: readonly number[]): Peer[] =>
  numbers.map((number) => peers.peer(addressOf(`http://${number}.example`)));

async function pairWith(numbers: readonly number[]): Promise<Peer[]> {
  const named = nameAll(numbers);
  await Promise.all(named.map((peer) => peer.reserve()));
  return named;
}

const serviceOf = (directory: DirectoryService): PeersService => {
  const clock = new HandMovedClock();
  const peerClient = {
    onDisconnect(listener: (origin: string) => void): void {
      disconnect = listener;
    },
  };
  checker = new FakeSessionChecker();
  client = new FakePairingClient(clock);
  return new PeersService(
    client.asPairingClient,
    checker.asSessionChecker,
    peerClient as PeerClient,
    clock,
    new RelayLog('silent'),
    directory,
  );
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  peers = serviceOf(KEYLESS_DIRECTORY);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('peers', () => {
  it('are unique for each origin', () => {
    const one = peers.peer(addressOf('http://one.example'));
    expect(peers.peer(addressOf('http://one.example'))).toBe(one);
    expect(peers.peer(addressOf('https://one.example'))).not.toBe(one);
    expect(one.origin).toBe('http://one.example');
  });

  it('that were paired are at most 1,000, of which the least recently used is closed and forgotten', async () => {
    const [first, second] = await pairWith(range(0, 1_000));
    second!.reachability.reportUnreachable(unreachable);
    expect(peers.peer(addressOf('http://0.example'))).toBe(first);
    expect(vi.getTimerCount()).toBe(1);

    await pairWith([1_000]);
    nameAll([1_001]);

    expect(vi.getTimerCount()).toBe(0);
    expect(peers.summary().paired).toBe(1_000);
    expect(peers.peer(addressOf('http://0.example'))).toBe(first);
    expect(peers.peer(addressOf('http://1.example'))).not.toBe(second);
  });

  it('are told of the end of a connection to them alone', async () => {
    for (const origin of ['http://0.example', 'http://1.example']) {
      await peers.peer(addressOf(origin)).reserve();
    }
    disconnect('http://0.example');
    disconnect('http://unknown.example');
    await peers.peer(addressOf('http://1.example')).reserveChecked();
    expect(checker.sequences).toEqual([]);
    await peers.peer(addressOf('http://0.example')).reserveChecked();
    expect(checker.sequences).toEqual([2]);
  });

  it('that were never paired are at most 1,000 more, of which the least recently named is forgotten', () => {
    const [first, second] = nameAll(range(0, 1_000));
    expect(peers.peer(addressOf('http://0.example'))).toBe(first);

    nameAll([1_000]);

    expect(peers.summary().known).toBe(1_000);
    expect(peers.peer(addressOf('http://0.example'))).toBe(first);
    expect(peers.peer(addressOf('http://1.example'))).not.toBe(second);
  });

  it('that were paired are kept, however many others are named', async () => {
    const [good] = await pairWith([0]);

    nameAll(range(1, 5_000));

    expect(peers.peer(addressOf('http://0.example'))).toBe(good);
    expect(peers.summary()).toMatchObject({ known: 1_001, paired: 1 });
  });

  it('that were paired are kept, however many others are being paired', async () => {
    const paired = await pairWith(range(0, 900));
    client.hold();
    const reservations = nameAll(range(1_000, 1_500)).map((peer) => peer.reserve());

    nameAll([2_000]);

    expect(peers.peer(addressOf('http://0.example'))).toBe(paired[0]);
    client.release();
    await Promise.all(reservations);
  });

  it('that are being paired are kept, however many others are named', async () => {
    client.hold();
    const good = peers.peer(addressOf('http://0.example'));
    const reservation = good.reserve();

    nameAll(range(1, 5_000));
    client.release();
    await reservation;

    expect(peers.peer(addressOf('http://0.example'))).toBe(good);
  });

  it('are all closed at shutdown', async () => {
    for (const peer of await pairWith([0, 1])) {
      peer.reachability.reportUnreachable(unreachable);
    }
    expect(vi.getTimerCount()).toBe(2);
    peers.onApplicationShutdown();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a request that has waited since it named its peer', () => {
  const HERE = 'https://b.example';
  const THERE = 'https://b-2.example';
  const entry = (origins: readonly string[], secretAlt?: string): PeerEntry => ({
    name: 'b',
    reach: { kind: 'origins', origins },
    secret: 'a-secret-that-both-relays-hold-1',
    secretAlt,
    transport: 'auto',
  });
  const directoryWith = (...entries: readonly PeerEntry[]) => ({
    peers: entries,
    clients: [],
    tenants: [],
  });

  it('calls the peer as it is now, whose session it does not displace', async () => {
    const directory = await DirectoryService.begin(
      directoryWith(entry([HERE])),
      new RelayName('relay-of-the-test'),
    );
    peers = serviceOf(directory);
    const named = { origin: HERE, known: directory.current.peerNamed('b')! };
    await directory.replace(directoryWith(entry([HERE], 'a-secret-that-both-relays-hold-2')));
    const now = peers.peer({ origin: HERE, known: directory.current.peerNamed('b')! });
    await now.reserve();

    expect(peers.peer(named)).toBe(now);
    expect(now.state).toBe('paired');
    expect(now.known).not.toBe(named.known);
  });

  it('calls another origin of the peer if the one that it chose was removed', async () => {
    const directory = await DirectoryService.begin(
      directoryWith(entry([HERE, THERE])),
      new RelayName('relay-of-the-test'),
    );
    peers = serviceOf(directory);
    const named = { origin: HERE, known: directory.current.peerNamed('b')! };
    await directory.replace(directoryWith(entry([THERE])));

    expect(peers.peer(named).origin).toBe(THERE);
  });

  it.each([
    ['was removed', directoryWith()],
    ['has no origin any more', directoryWith(entry([]))],
  ])('is refused if the peer %s', async (_what, next) => {
    const directory = await DirectoryService.begin(
      directoryWith(entry([HERE])),
      new RelayName('relay-of-the-test'),
    );
    peers = serviceOf(directory);
    const named = { origin: HERE, known: directory.current.peerNamed('b')! };
    await directory.replace(next);

    expect(() => peers.peer(named)).toThrow(UpstreamRefusedError);
    expect(peers.summary().known).toBe(0);
  });
});
