import { randomBytes } from 'node:crypto';

import type { Clock } from '@relay/clock';

import type { PairingClient } from '../../../apps/relay/src/peers/pairing-client.js';
import type { PeerAddress } from '../../../apps/relay/src/peers/peer-address.js';
import { PeerSession } from '../../../apps/relay/src/peers/peer-session.js';

interface SessionTerms {
  readonly lifetimeSeconds: number;
  readonly maxMessages: number;
}

/** Pairs without a peer, and counts the pairings; the test decides how they end. */
export class FakePairingClient {
  /** The origins of all pairings so far, in order. */
  readonly origins: string[] = [];
  /** The networks of the clients that they were for. */
  readonly networks: (string | undefined)[] = [];
  probes = 0;
  /** The result of a probe: whether the peer is reachable. */
  isThere = true;
  private nextFailure: Error | undefined;
  private gate = Promise.resolve();
  private open: () => void = () => undefined;
  private probeGate = Promise.resolve();
  private openProbes: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly terms: SessionTerms = { lifetimeSeconds: 3_600, maxMessages: 1_000 },
  ) {}

  /** This object as the class that it replaces, whose other members are not used. */
  get asPairingClient(): PairingClient {
    return this as unknown as PairingClient;
  }

  get pairings(): number {
    return this.origins.length;
  }

  /** Makes the next pairing fail with this error. */
  failWith(error: Error): void {
    this.nextFailure = error;
  }

  /** Keeps pairings from ending until `release`. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  release(failure?: Error): void {
    this.nextFailure = failure;
    this.open();
  }

  /** Keeps probes from ending until `releaseProbes`. */
  holdProbes(): void {
    this.probeGate = new Promise((resolve) => {
      this.openProbes = resolve;
    });
  }

  releaseProbes(): void {
    this.openProbes();
  }

  async pair({ origin }: PeerAddress, _reason: string, network?: string): Promise<PeerSession> {
    this.origins.push(origin);
    this.networks.push(network);
    const sentAtMs = this.clock.monotonicMs();
    await this.gate;
    const failure = this.nextFailure;
    this.nextFailure = undefined;
    if (failure !== undefined) {
      throw failure;
    }
    const sid = randomBytes(16).toString('base64url');
    const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
    return new PeerSession({ sid, keys, ...this.terms }, sentAtMs);
  }

  async probe(): Promise<boolean> {
    this.probes += 1;
    await this.probeGate;
    return this.isThere;
  }
}
