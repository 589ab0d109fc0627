import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';

import { Recorder } from '../lifecycle/recorder.js';
import type { ServerCertificate } from '../certificates/self-signed-certificate.js';
import { listen } from './listen.js';

/** A request that a proxy has received. */
export interface ProxyRequest {
  readonly method: string;
  /** `host:port` of the target. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** A small HTTP proxy that knows CONNECT only. */
export interface ConnectProxy {
  readonly port: number;
  /** The URL of the proxy, without credentials. */
  readonly url: string;
  readonly requests: Recorder<ProxyRequest>;
  /** How many connections of clients are open. */
  readonly open: number;
  /** Resets every connection, and listens on. */
  cut(): void;
  close(): Promise<void>;
}

export interface ConnectProxyOptions {
  /** `user:password` that clients must have. */
  readonly account?: string;
  /** Serves TLS. */
  readonly certificate?: ServerCertificate;
  /** Where targets are, by the `host:port` that is asked for. */
  readonly targets?: Readonly<Record<string, number>>;
  /** Takes the place of what the proxy does with a CONNECT. */
  readonly instead?: (client: Socket, target: string) => void;
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const requests = new Recorder<ProxyRequest>();
  const sockets = new Set<Socket>();
  const { certificate } = options;
  const server: Server = certificate === undefined ? createServer() : createTlsServer(certificate);
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    client.on('error', () => undefined);
    const target = String(request.url);
    const authorization = request.headers['proxy-authorization'];
    requests.add({ method: String(request.method), target, authorization });
    if (!isAdmitted(authorization, options.account)) {
      client.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n');
    } else if (options.instead === undefined) {
      join(client, target, options.targets?.[target]);
    } else {
      // Connections of an HTTP server stay half open.
      client.resume().once('end', () => client.end());
      options.instead(client, target);
    }
  });
  server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listening = await listen(server);
  const { port } = listening;
  return {
    port,
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    get open() {
      return sockets.size;
    },
    cut: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
    close: () => listening.close(),
  };
}

function isAdmitted(authorization: string | undefined, account: string | undefined): boolean {
  return (
    account === undefined || authorization === `Basic ${Buffer.from(account).toString('base64')}`
  );
}

function join(client: Socket, target: string, mapped: number | undefined): void {
  const { hostname, port } = new URL(`http://${target}`);
  const upstream = connect({
    port: mapped ?? Number(port || 80),
    host: mapped === undefined ? hostname.replace(/^\[|\]$/g, '') : '127.0.0.1',
  });
  upstream.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  upstream.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(upstream).pipe(client);
  });
  upstream.once('close', () => client.destroy());
  client.once('close', () => upstream.destroy());
}
