import { Clock } from '@relay/clock';

import { deliverTo, type WireRequest, type WireResponse } from '../attackers/man-in-the-middle.js';
import {
  startRedirectingPath,
  type MessageAttack,
  type RedirectingPath,
} from '../attackers/redirecting-path.js';
import { errorOf, request } from '../clients/client.js';
import { forThisTest } from '../lifecycle/resources.js';
import type { Listening } from '../network/listen.js';
import { startRedisServer } from '../redis/redis-server.js';
import { TOKEN, startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { HandMovedClock } from '../time/hand-moved-clock.js';
import { ID_HEADER, startCountingUpstream } from '../upstreams/counting-upstream.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** An upstream that counts how often it received each request. */
interface CountedUpstream extends Listening {
  executions(id: string): number;
}

/** A client's request. */
export interface ProofRequest {
  /** What its executions are counted under. */
  readonly id: string;
  /** POST by default. */
  readonly method?: string;
  /** A short one by default, unless the method is safe. */
  readonly body?: string;
  /** `x-mte-encode-type`. */
  readonly type?: 'MKE' | 'MTE';
}

/** What a client is told. */
export interface ClientOutcome {
  readonly status: number;
  readonly forwarded?: 'no' | 'maybe';
}

export interface ProofTunnelOptions {
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
  /** Whether every relay has a RELAY_AUDIENCE, each its own; true by default. */
  readonly hasAudiences?: boolean;
  /** The upstream of relay B. */
  readonly upstream?: CountedUpstream;
}

/** A relay in this process, with a clock of its own. */
export interface ClockedRelay {
  readonly relay: TestRelay;
  readonly clock: HandMovedClock;
  readonly deliver: (message: WireRequest) => Promise<WireResponse>;
}

/**
 * Relays with one secret, each with an upstream of its own that counts, and an attacker who owns the path from relay A to relay
 * B. Everything ends with the running test. Time passes only when a test lets it pass.
 */
export class ProofTunnel {
  /** Relay A, which clients call. */
  outbound!: ClockedRelay;
  /** Relay B, which they name. */
  inbound!: ClockedRelay;
  private readonly upstreams = new Map<string, CountedUpstream>();
  private readonly relays = new Set<ClockedRelay>();

  private constructor(
    readonly path: RedirectingPath,
    private readonly inboundEnvironment: RelayEnvironment,
    private readonly hasAudiences: boolean,
  ) {}

  static async start(options: ProofTunnelOptions = {}): Promise<ProofTunnel> {
    const { hasAudiences = true } = options;
    const upstream = forThisTest(options.upstream ?? (await startCountingUpstream()));
    const path = forThisTest(await startRedirectingPath());
    const environment = {
      UPSTREAM: upstream.url,
      ...(hasAudiences && { RELAY_AUDIENCE: `https://relay-b.example,${path.url}` }),
      ...options.inbound,
    };
    const tunnel = new ProofTunnel(path, environment, hasAudiences);
    tunnel.outbound = await tunnel.addRelay('A', {
      OUTBOUND_ALLOWED_UPSTREAMS: path.url,
      ...options.outbound,
    });
    tunnel.upstreams.set('B', upstream);
    tunnel.inbound = await tunnel.startClocked(environment);
    path.leadTo(tunnel.inbound.relay.url);
    return tunnel;
  }

  /** Another relay with the secret, and with an upstream of its own, which is counted under this name. */
  async addRelay(name: string, environment: RelayEnvironment = {}): Promise<ClockedRelay> {
    const upstream = forThisTest(await startCountingUpstream());
    this.upstreams.set(name, upstream);
    const audience = `https://relay-${name.toLowerCase()}.example`;
    return this.startClocked({
      UPSTREAM: upstream.url,
      ...(this.hasAudiences && { RELAY_AUDIENCE: audience }),
      ...environment,
    });
  }

  /** Another relay in front of B's upstream, with B's configuration. */
  addReplica(aheadMs = 0): Promise<ClockedRelay> {
    const clock = new HandMovedClock();
    clock.jump(aheadMs);
    return this.startClocked(this.inboundEnvironment, clock);
  }

  /** Ends relay B and starts it again, on the same machine. */
  async restartInbound(environment: RelayEnvironment = {}): Promise<void> {
    const { relay, clock } = this.inbound;
    this.relays.delete(this.inbound);
    await relay.close();
    this.inbound = await this.startClocked({ ...this.inboundEnvironment, ...environment }, clock);
    this.path.leadTo(this.inbound.relay.url);
  }

  /** Lets time pass on every machine. */
  advance(ms: number): void {
    for (const { clock } of this.relays) {
      clock.advance(ms);
    }
  }

  /** Sends a client's request. The next attacks of the path, if any are given, are on its messages. */
  async send(spec: ProofRequest, ...attacks: readonly MessageAttack[]): Promise<ClientOutcome> {
    this.path.attackNext(...attacks);
    const { id, method = 'POST', type = 'MKE' } = spec;
    const response = await request(this.outbound.relay.url, {
      method,
      headers: {
        'x-mte-outbound-token': TOKEN,
        'x-mte-upstream': this.path.url,
        'x-mte-encode-type': type,
        [ID_HEADER]: id,
      },
      body: spec.body ?? (SAFE_METHODS.has(method) ? '' : 'one coin'),
    });
    const { status } = response;
    return status < 400 ? { status } : { status, forwarded: errorOf(response).forwarded };
  }

  /** How often a request ran, by the relay in front of the upstream that it ran at. */
  executions(id: string): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.upstreams].map(([name, upstream]) => [name, upstream.executions(id)]),
    );
  }

  /** Delivers every message that was ever sent to every relay. */
  async deliverEverythingEverywhere(): Promise<void> {
    for (const { deliver } of this.relays) {
      for (const message of this.path.messages.items) {
        await deliver(message);
      }
    }
  }

  private async startClocked(
    environment: RelayEnvironment,
    clock = new HandMovedClock(),
  ): Promise<ClockedRelay> {
    const relay = await startRelay(environment, (builder) =>
      builder.overrideProvider(Clock).useValue(clock),
    );
    const deliver = (message: WireRequest) => deliverTo(relay.url, message);
    const clocked = { relay, clock, deliver };
    this.relays.add(clocked);
    forThisTest({
      // One that was restarted has been closed before.
      close: () => (this.relays.has(clocked) ? relay.close() : Promise.resolve()),
    });
    return clocked;
  }
}

/** The REDIS_URL of a Redis that relays can share. It ends with the running test. */
export async function sharedStore(): Promise<string> {
  const server = await startRedisServer();
  forThisTest({ close: () => server.stop() });
  return server.url;
}
