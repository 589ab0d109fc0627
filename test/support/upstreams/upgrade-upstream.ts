import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

import { Recorder } from '../lifecycle/recorder.js';
import { listen, type Listening } from '../network/listen.js';
import { OpenSockets } from '../network/open-sockets.js';

/** An API that grants upgrades: to WebSockets, and to raw octets, for which Docker's `tcp` is asked. */
export interface UpgradeUpstream extends Listening {
  readonly server: Server;
  /** Every request for an upgrade. */
  readonly upgrades: Recorder<IncomingMessage>;
  /** Every WebSocket that was opened. */
  readonly webSockets: Recorder<WebSocket>;
  /** Every raw connection that was upgraded. */
  readonly rawSockets: Recorder<Socket>;
  readonly sockets: OpenSockets;
}

/** What an API does with its upgraded connections. */
export interface UpgradeBehaviour {
  readonly onWebSocket?: (socket: WebSocket, message: IncomingMessage) => void;
  readonly onRaw?: (socket: Socket, message: IncomingMessage) => void;
  /** PEM; with it the API speaks HTTPS. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

/** What the end of a client's direction is answered with by `echoOctets`. */
export const FAREWELL = 'end of input';

/** Returns every message, and closes when told: `close 4000 because`. */
export function echoMessages(socket: WebSocket): void {
  socket.on('message', (message: Buffer, isBinary) => {
    const [, code, reason] = /^close (\d+) (.*)$/.exec(message.toString('latin1', 0, 100)) ?? [];
    if (code === undefined) {
      socket.send(message, { binary: isBinary });
    } else {
      socket.close(Number(code), reason);
    }
  });
}

/** Returns every octet. When the client has ended its direction, it says so and ends its own. */
function echoOctets(socket: Socket): void {
  socket.on('data', (octets: Buffer) => {
    if (!socket.write(octets)) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  });
  socket.on('end', () => socket.end(FAREWELL));
}

export async function startUpgradeUpstream({
  onWebSocket = echoMessages,
  onRaw = echoOctets,
  tls,
}: UpgradeBehaviour = {}): Promise<UpgradeUpstream> {
  const server =
    tls === undefined ? createServer(respond) : (createTlsServer(tls, respond) as Server);
  const upgrades = new Recorder<IncomingMessage>();
  const webSockets = new Recorder<WebSocket>();
  const rawSockets = new Recorder<Socket>();
  const accepting = new WebSocketServer({ noServer: true, clientTracking: false });
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    upgrades.add(message);
    if (message.headers.upgrade === 'websocket') {
      accepting.handleUpgrade(message, socket, head, (accepted) => {
        accepted.on('error', () => undefined);
        onWebSocket(accepted, message);
        webSockets.add(accepted);
      });
      return;
    }
    // Each direction ends on its own; a server of HTTPS has it otherwise.
    socket.allowHalfOpen = true;
    const protocol = message.headers.upgrade ?? '';
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`,
    );
    socket.unshift(head);
    onRaw(socket, message);
    rawSockets.add(socket);
  });
  const sockets = new OpenSockets(server);
  const listening = await listen(server);
  return {
    ...listening,
    ...(tls !== undefined && { url: listening.url.replace('http:', 'https:') }),
    server,
    upgrades,
    webSockets,
    rawSockets,
    sockets,
  };
}

/** The code with which a WebSocket closes: 1006 if its connection ends without a close frame. */
export async function closeCodeOf(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

/** Anything else than an upgrade; what is asked of a path that ends in `/silent` has no response. */
function respond({ url }: IncomingMessage, response: ServerResponse): void {
  if (url?.endsWith('/silent') !== true) {
    response.end('no upgrade');
  }
}
