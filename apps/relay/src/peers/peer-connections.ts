import { CONNECTION_TOO_OLD, connectionClients, readingFirst } from '@relay/http';
import { Agent, Pool, type Dispatcher, type buildConnector, type errors } from 'undici';

/** Shorter than the keep-alive limit of any relay or load balancer, so that no request meets a connection that is closing. */
const KEEP_ALIVE_MS = 4_000;
/** The head of a relay's own response is small, and proxies add little. protocol.md section 9. */
const MAX_RESPONSE_HEADER_BYTES = 16_384;

/** The ends of connections that this relay has caused: it gave up a request, or the connection was idle for too long, or old. */
const OWN_ENDS: ReadonlySet<string> = new Set([
  'aborted',
  'socket idle timeout',
  CONNECTION_TOO_OLD,
]);
/** How undici names the end of a connection after its last exchange. */
const LAST_EXCHANGE = 'reset';
/** An agent closes its pool for an origin when no connection is left, even if a request is waiting for the next one. */
const CLOSED_CODE = 'UND_ERR_DESTROYED';

/** The connections to any peers that are made in one way: directly, or through one proxy. */
export class PeerConnections {
  private readonly keptAgent: Agent;
  private readonly freshAgent: Agent;

  /**
   * @param connect - makes a connection
   * @param monotonicMs - the clock that tells the age of connections
   * @param onDisconnect - receives the origin of the peer if a connection has ended other than by this relay's own doing
   */
  constructor(
    connect: buildConnector.connector,
    monotonicMs: () => number,
    onDisconnect: (origin: string) => void,
  ) {
    const factory = connectionClients(monotonicMs);
    const options: Agent.Options = {
      connect: readingFirst(connect),
      factory: (origin, poolOptions: Pool.Options) => new Pool(origin, { ...poolOptions, factory }),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    };
    this.keptAgent = new Agent({ ...options, pipelining: 1 });
    // Without pipelining, undici closes each connection after its first exchange.
    this.freshAgent = new Agent({ ...options, pipelining: 0 });
    this.keptAgent.on('disconnect', (url, _targets, error) => {
      if (!isOwnEnd(error)) {
        onDisconnect(url.origin);
      }
    });
    this.freshAgent.on('disconnect', (url, _targets, error) => {
      if (!isOwnEnd(error) && error.message !== LAST_EXCHANGE) {
        onDisconnect(url.origin);
      }
    });
  }

  /** Sends requests to any origin, on connections that are kept open between requests. */
  get kept(): Dispatcher {
    return this.keptAgent;
  }

  /** Sends each request on a new connection: a request that was lost with a kept connection shall not be lost with another. */
  get fresh(): Dispatcher {
    return this.freshAgent;
  }

  /** How many connections there are. */
  get count(): number {
    return connectionsOf(this.keptAgent) + connectionsOf(this.freshAgent);
  }

  /** Whether there is neither a connection nor a request that waits for one. */
  get areUnused(): boolean {
    return [this.keptAgent, this.freshAgent].every(({ stats }) => Object.keys(stats).length === 0);
  }

  /** Ends them all. */
  async destroy(): Promise<void> {
    await Promise.all([this.keptAgent.destroy(), this.freshAgent.destroy()]);
  }
}

function isOwnEnd({ code, message }: errors.UndiciError): boolean {
  return code === CLOSED_CODE || (code === 'UND_ERR_INFO' && OWN_ENDS.has(message));
}

function connectionsOf(agent: Agent): number {
  return Object.values(agent.stats).reduce((sum, { connected }) => sum + Number(connected), 0);
}
