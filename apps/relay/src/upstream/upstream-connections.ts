import type { Clock } from '@relay/clock';
import { MAX_CONNECTION_AGE_MS, connectionClients } from '@relay/http';
import { Pool, type Dispatcher } from 'undici';

import type { RelayLog } from '../telemetry/relay-log.js';
import { withServerName } from './server-name.js';
import { UpstreamConnector } from './upstream-connector.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** A whole head may have 64 KiB, of which undici counts the names and values. */
const MAX_RESPONSE_HEADER_BYTES = 65_536;
/** How long an idle connection is kept if the upstream does not say how long it keeps it: less than any usual server does. */
const KEEP_ALIVE_MS = 4_000;
/** How much earlier than the upstream says it is closed, so that no request meets the upstream's own closing. */
const KEEP_ALIVE_MARGIN_MS = 2_000;

/** The connections to the upstream of one tenant. */
export class UpstreamConnections {
  private readonly connector: UpstreamConnector;
  private readonly keptPool: Pool;
  private readonly freshPool: Pool;
  /** Connections that are kept open between requests. */
  readonly kept: Dispatcher;
  /** A new connection for each request, for one that was lost with a kept connection. */
  readonly fresh: Dispatcher;
  private lastSeen: 'unknown' | 'reachable' | 'unreachable' = 'unknown';

  constructor(settings: UpstreamSettings, clock: Clock, log: RelayLog) {
    const { upstream, upstreamTls, connectTimeoutMs } = settings;
    this.connector = new UpstreamConnector(upstream, upstreamTls, connectTimeoutMs, log);
    const options = {
      connect: this.connector.connect,
      factory: connectionClients(() => clock.monotonicMs()),
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      keepAliveMaxTimeout: MAX_CONNECTION_AGE_MS,
    };
    this.keptPool = this.observed(new Pool(settings.upstreamOrigin, { ...options, pipelining: 1 }));
    // Without pipelining, undici closes each connection after its first exchange.
    this.freshPool = this.observed(
      new Pool(settings.upstreamOrigin, { ...options, pipelining: 0 }),
    );
    // With the host that is the upstream's own, undici names that in TLS by itself.
    const named = (pool: Pool): Dispatcher =>
      settings.upstreamHost === 'upstream'
        ? pool
        : pool.compose(withServerName(settings.upstreamOrigin));
    this.kept = named(this.keptPool);
    this.fresh = named(this.freshPool);
  }

  /** What the last attempt to connect showed. Reading it does not contact the upstream. */
  get state(): 'unknown' | 'reachable' | 'unreachable' {
    return this.lastSeen;
  }

  /** How many are open. */
  get openSockets(): number {
    return this.keptPool.stats.connected + this.freshPool.stats.connected;
  }

  /** Looks at the TLS files no more. */
  retire(): void {
    this.connector.close();
  }

  /** Closes all of them, whatever they carry. */
  async destroy(): Promise<void> {
    this.retire();
    await Promise.all([this.keptPool.destroy(), this.freshPool.destroy()]);
  }

  private observed(pool: Pool): Pool {
    pool.on('connect', () => {
      this.lastSeen = 'reachable';
    });
    pool.on('connectionError', () => {
      this.lastSeen = 'unreachable';
    });
    return pool;
  }
}
