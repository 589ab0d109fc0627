import { randomBytes } from 'node:crypto';

import { startBalancer, type Balancer } from '../network/balancer.js';
import { startCountingUpstream, type CountingUpstream } from '../upstreams/counting-upstream.js';
import { startRedisServer, type RedisServer } from '../redis/redis-server.js';
import { TOKEN, type RelayEnvironment } from '../relays/relay.js';
import type { RelayProcess } from './relay-process.js';
import { Replica } from './replica.js';
import type { Closable } from '../lifecycle/resources.js';
import { samplesOf } from '../relays/admin.js';
import { SHOW_ID, SeenMessages } from '../attackers/seen-messages.js';
import { startLoad, type SteadyLoad } from '../clients/steady-load.js';

/** A modest rate, because relays, clients and upstream share the machine. */
const REQUESTS_PER_SECOND = 40;
/** The delay between the relays; without it, no message would be in transit for long enough to be lost. */
const LATENCY_MS = 5;

/** Two outbound relays and three inbound ones that share a Redis, each group behind a load balancer. */
export interface Fleet extends Closable {
  readonly secret: string;
  readonly outbound: readonly Replica[];
  readonly inbound: readonly Replica[];
  readonly replicas: readonly Replica[];
  /** Between the outbound relays and the inbound ones. */
  readonly network: Balancer;
  readonly upstream: CountingUpstream;
  /** The messages that crossed that network; undefined if requests may go over channels, where nothing of them is seen. */
  readonly seen: SeenMessages | undefined;
  readonly redis: RedisServer;
  /** Starts Redis again at its previous address, after it was killed: from its files, or empty. */
  restartRedis(from: 'its files' | 'nothing'): Promise<void>;
  load(): SteadyLoad;
  /** Channels and streams that are open now, by role. */
  channels(): Promise<ChannelNumbers>;
}

/** The sums of all relays of a fleet. */
export interface ChannelNumbers {
  readonly outbound: number;
  readonly inbound: number;
  readonly streams: number;
}

interface FleetOptions {
  /** How requests travel between the relays; as messages by default. */
  readonly transport?: 'auto' | 'channel';
  /** The environment of all relays. */
  readonly environment?: RelayEnvironment;
}

export async function startFleet({
  transport,
  environment = {},
}: FleetOptions = {}): Promise<Fleet> {
  const secret = randomBytes(32).toString('base64url');
  const [upstream, firstRedis] = await Promise.all([startCountingUpstream(), startRedisServer()]);
  const ofOutbound = {
    ...environment,
    ...(transport !== undefined && { TUNNEL_TRANSPORT: transport, ADMIN_PORT: '0' }),
    CLIENT_ID_SECRET: secret,
  };
  const ofInbound = { ...ofOutbound, UPSTREAM: upstream.url, REDIS_URL: firstRedis.url };
  const outbound = ['A1', 'A2'].map((name) => new Replica(name, ofOutbound));
  const inbound = ['B1', 'B2', 'B3'].map((name) => new Replica(name, ofInbound));
  const replicas = [...outbound, ...inbound];
  await Promise.all(replicas.map((replica) => replica.start()));

  const seen = transport === undefined ? new SeenMessages() : undefined;
  const door = await startBalancer();
  const network = await startBalancer({
    latencyMs: LATENCY_MS,
    onSent: (chunk) => seen?.take(chunk),
  });
  for (const replica of replicas) {
    replica.serveBehind(outbound.includes(replica) ? door : network);
  }
  const servers = [firstRedis];
  const redis = (): RedisServer => servers.at(-1) ?? firstRedis;
  return {
    secret,
    outbound,
    inbound,
    replicas,
    network,
    upstream,
    seen,
    get redis() {
      return redis();
    },
    restartRedis: async (from) => {
      const { port, dir } = redis();
      servers.push(await startRedisServer({ port, ...(from === 'its files' && { dir }) }));
    },
    load: () =>
      startLoad({
        origin: door.url,
        headers: {
          'x-mte-outbound-token': TOKEN,
          'x-mte-upstream': network.url,
          ...(seen !== undefined && SHOW_ID),
        },
        perSecond: REQUESTS_PER_SECOND,
        withMte: transport !== 'channel',
      }),
    channels: () => channelsOf(replicas.map(({ relay }) => relay)),
    close: async () => {
      await Promise.all([door.close(), network.close()]);
      await Promise.all(replicas.map((replica) => replica.close()));
      // The newest first: the files belong to the oldest.
      for (const server of servers.reverse()) {
        await server.stop();
      }
      await upstream.close();
    },
  };
}

async function channelsOf(relays: readonly RelayProcess[]): Promise<ChannelNumbers> {
  const samples = await Promise.all(relays.map(samplesOf));
  const sum = (sample: string): number =>
    samples.reduce((total, one) => total + (one.get(sample) ?? 0), 0);
  const openIn = (role: string): number =>
    sum(`mte_relay_channels{role="${role}",state="open"}`) +
    sum(`mte_relay_channels{role="${role}",state="draining"}`);
  return {
    outbound: openIn('outbound'),
    inbound: openIn('inbound'),
    streams:
      sum('mte_relay_channel_streams{role="outbound"}') +
      sum('mte_relay_channel_streams{role="inbound"}'),
  };
}
