import { once } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { overTls } from './proxied-socket.js';
import type { ConnectTarget, ProxyRoute } from './proxy-route.js';

/** The agents of axios for one request, both of which use a connection that exists already. */
export interface PairingConnection {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/**
 * The connections that pairing requests are sent on. Each is established before anything is made for its pairing: the key of a
 * pairing costs far more than an attempt to connect, and an origin that a client names may lead nowhere.
 */
export class PairingConnections {
  private readonly sockets = new Set<Socket>();

  /** @param lookup - resolves names; undefined: the system's */
  constructor(private readonly lookup: LookupFunction | undefined) {}

  /**
   * @param route - the proxy that leads to the origin, if any
   * @param signal - ends the attempt
   * @throws Error with a code, if there is no connection
   */
  async open(
    origin: string,
    route: ProxyRoute | undefined,
    signal: AbortSignal,
  ): Promise<PairingConnection> {
    const { protocol, hostname, port } = new URL(origin);
    const isSecure = protocol === 'https:';
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const target = {
      host,
      port: port === '' ? DEFAULT_PORTS[isSecure ? 'https' : 'http'] : Number(port),
      lookup: this.lookup,
    };
    const tunnel = await route?.connect(target, signal);
    if (tunnel !== undefined && !isSecure) {
      this.keep(tunnel);
      return agentsOf(tunnel);
    }
    const socket = tunnel === undefined ? connected(target, isSecure) : overTls(tunnel, host);
    this.keep(socket);
    try {
      await once(socket, isSecure ? 'secureConnect' : 'connect', { signal });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return agentsOf(socket);
  }

  /** Closes all of them. */
  close(): void {
    for (const socket of this.sockets) {
      socket.destroy();
    }
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // If the connection fails while the key is being made, the request that follows reports it.
    socket.on('error', () => undefined);
  }
}

function connected(target: ConnectTarget, isSecure: boolean): Socket {
  const { host, port, lookup } = target;
  const options = { host, port, noDelay: true, ...(lookup === undefined ? {} : { lookup }) };
  return isSecure
    ? connectTls({ ...options, servername: isIP(host) === 0 ? host : '', ALPNProtocols: [HTTP] })
    : connect(options);
}

const HTTP = 'http/1.1';
const DEFAULT_PORTS = { http: 80, https: 443 };

/** Agents close the connections of requests that have ended. */
function agentsOf(socket: Socket): PairingConnection {
  const agents = { httpAgent: new HttpAgent(), httpsAgent: new HttpsAgent() };
  agents.httpAgent.createConnection = () => socket;
  agents.httpsAgent.createConnection = () => socket;
  return agents;
}
