import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { addressOf } from '../../../../test/support/relays/directory.js';
import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { FakeSessionChecker } from '../../../../test/support/relays/fake-session-checker.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import type { DirectoryService } from '../directory/directory.service.js';
import type { KnownPeer } from '../directory/known-peer.js';
import { RelayLog } from '../telemetry/relay-log.js';
import type { ChannelsToPeers } from './channels-to-peers.js';
import { OriginChoice } from './origin-choice.js';
import type { PeerClient } from './peer-client.js';
import type { NamedPeer } from './peer-origin.js';
import type { Peer } from './peer.js';
import { FirstPairingLimitError, TunnelFailedError } from './peers.errors.js';
import { PeersService } from './peers.service.js';

const unreachable = new TunnelFailedError('RELAY_PEER_UNREACHABLE', 'no', 'not there');
const busy = new TunnelFailedError('RELAY_BUSY', 'no', 'overloaded');
const ORIGINS = ['http://b1.example', 'http://b2.example', 'http://b3.example'] as const;

let clock: HandMovedClock;
let client: FakePairingClient;
let peers: PeersService;
let choice: OriginChoice;
/** Origins to which no channel could be opened. */
let withoutChannels: Set<string>;

/** A peer with these origins, as the operator has listed it. */
function named(
  origins: NamedPeer['origins'] = ORIGINS,
  transport: 'auto' | 'channel' = 'auto',
): NamedPeer {
  const { known } = addressOf(origins[0]);
  const name = `${transport} ${origins.join()}`;
  const entry = { ...known.entry, name, transport, reach: { kind: 'origins', origins } as const };
  const peer = byName.get(name) ?? ({ name, entry } as unknown as KnownPeer);
  byName.set(name, peer);
  return { known: peer, origins };
}

/** The peers that the directory knows. */
const byName = new Map<string, KnownPeer>();
const DIRECTORY = {
  current: { peerNamed: (name: string) => byName.get(name) },
  onChange: () => undefined,
} as unknown as DirectoryService;

const numberOf = ({ origin }: Peer): string => origin.slice('http://b'.length, -'.example'.length);

/** The numbers of the origins in the order in which each of the next requests may ask them. */
const orders = (peer: NamedPeer, requests: number): string[] =>
  Array.from({ length: requests }, () => choice.of(peer).map(numberOf).join(''));

const originOf = ({ known, origins }: NamedPeer, at: number): Peer =>
  peers.peer({ known, origin: origins[at]! });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
  clock = new HandMovedClock();
  client = new FakePairingClient(clock);
  withoutChannels = new Set();
  peers = new PeersService(
    client.asPairingClient,
    new FakeSessionChecker().asSessionChecker,
    { onDisconnect: () => undefined } as unknown as PeerClient,
    clock,
    new RelayLog('silent'),
    DIRECTORY,
  );
  const channels = {
    of: ({ origin }: Peer) => ({ hasFallenBack: withoutChannels.has(origin) }),
  } as unknown as ChannelsToPeers;
  choice = new OriginChoice(peers, channels, clock);
});

afterEach(() => {
  peers.onApplicationShutdown();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('the origins of a peer', () => {
  it('take turns, and each request may ask all of them, each once', () => {
    expect(orders(named(), 4)).toEqual(['123', '231', '312', '123']);
  });

  it('have turns of their own in each peer', () => {
    const [one, other] = [named(), named(ORIGINS, 'channel')];
    expect(orders(one, 1)).toEqual(['123']);
    expect(orders(other, 1)).toEqual(['123']);
    expect(orders(one, 1)).toEqual(['231']);
  });

  it('may be a single one, which is always asked', () => {
    const peer = named(['http://b1.example']);
    originOf(peer, 0).reachability.reportUnreachable(unreachable);
    expect(orders(peer, 2)).toEqual(['1', '1']);
  });
});

describe('an origin that cannot be reached', () => {
  it('is asked after the others, which share its requests evenly', () => {
    const peer = named();
    originOf(peer, 1).reachability.reportUnreachable(unreachable);
    expect(orders(peer, 4)).toEqual(['132', '312', '132', '312']);
  });

  it('is probed as long as there are requests to the peer, although none is sent to it', async () => {
    const peer = named();
    originOf(peer, 1).reachability.reportUnreachable(unreachable);
    client.isThere = false;
    for (let second = 1; second <= 200; second += 1) {
      orders(peer, 1);
      clock.advance(1_000);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(client.probes).toBe(200);
  });

  it('has its turn again once a probe has reached it, even if it was never paired', async () => {
    const peer = named();
    originOf(peer, 1).reachability.reportUnreachable(unreachable);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.probes).toBe(1);
    expect(orders(peer, 3)).toEqual(['123', '231', '312']);
  });
});

describe('an origin from which a request has gone on to another one', () => {
  it('is asked after the others for 250 ms, and longer each time, up to 10 s', () => {
    const peer = named();
    for (const ms of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      choice.noteFailure(originOf(peer, 0), busy);
      clock.advance(ms - 1);
      expect(new Set(orders(peer, 6))).toEqual(new Set(['231', '321']));
      clock.advance(1);
      expect(orders(peer, 3).join()).toContain('123');
    }
  });

  it('has its turn again at once when it has served a request', () => {
    const peer = named();
    const first = originOf(peer, 0);
    choice.noteFailure(first, busy);
    clock.advance(250);
    choice.noteFailure(first, busy);
    choice.noteServed(first);
    expect(orders(peer, 1)).toEqual(['123']);
  });

  it('keeps its turn if only the limit on first pairings was the reason', () => {
    const peer = named();
    choice.noteFailure(originOf(peer, 0), new FirstPairingLimitError());
    expect(orders(peer, 1)).toEqual(['123']);
  });
});

describe('an origin to which no channel can be opened', () => {
  it('is asked after the others if only channels are allowed', () => {
    withoutChannels.add(ORIGINS[0]);
    expect(orders(named(ORIGINS, 'channel'), 2)).toEqual(['231', '321']);
    expect(orders(named(ORIGINS, 'auto'), 2)).toEqual(['123', '231']);
  });
});
