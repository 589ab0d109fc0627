import type { ClientRequestArgs } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import type { ClientOptions } from 'ws';

import type { ProxyRoute } from './proxy-route.js';

const HTTP = 'http/1.1';

type OnConnection = (error: Error | null, socket: Socket) => void;

/** TLS with a peer, over a connection that leads to it. */
export function overTls(socket: Socket, host: string): TLSSocket {
  const servername = isIP(host) === 0 ? host : '';
  // An address is no server name, and without `host` the certificate would have to be that of localhost.
  return connectTls({ socket, host, servername, ALPNProtocols: [HTTP] });
}

/** Its type is that of `net.createConnection`, although Node.js calls it with what a request needs. */
type CreateConnection = NonNullable<ClientOptions['createConnection']>;

/**
 * The `createConnection` of one WebSocket, by way of a proxy.
 *
 * @param lookup - resolves the names of peers here; undefined: the proxy resolves them
 * @param signal - ends the attempt
 */
export function connectionThrough(
  route: ProxyRoute,
  isSecure: boolean,
  lookup: LookupFunction | undefined,
  signal: AbortSignal,
): CreateConnection {
  const create = ({ host, port }: ClientRequestArgs, onConnection: OnConnection): undefined => {
    const target = { host: host ?? '', port: Number(port), lookup };
    route.connect(target, signal).then(
      (tunnel) => {
        onConnection(null, isSecure ? overTls(tunnel, target.host) : tunnel);
      },
      (error: unknown) => {
        onConnection(error as Error, undefined as unknown as Socket);
      },
    );
  };
  return create as unknown as CreateConnection;
}
