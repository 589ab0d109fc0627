import { addressOf } from './directory.js';
import type { FakePairingClient } from './fake-pairing-client.js';
import { FakeSessionChecker } from './fake-session-checker.js';
import type { HandMovedClock } from '../time/hand-moved-clock.js';
import { Peer } from '../../../apps/relay/src/peers/peer.js';
import { RelayLog } from '../../../apps/relay/src/telemetry/relay-log.js';

/** A peer that pairs through `client`, by whose clock it acts, and whose sessions pass every check. */
export function createPeer(client: FakePairingClient, clock: HandMovedClock): Peer {
  const checker = new FakeSessionChecker().asSessionChecker;
  return new Peer(
    addressOf('http://b.example'),
    client.asPairingClient,
    checker,
    clock,
    new RelayLog('silent'),
  );
}
