import { once } from 'node:events';
import { connect } from 'node:tls';

import { WebSocket, type ClientOptions } from 'ws';

import { openSocket, RawSocket } from '../network/raw-socket.js';

type Headers = Readonly<Record<string, string>>;

/** How a WebSocket of a client ended. */
export interface WebSocketEnd {
  /** 1006 if the connection ended without a close frame. */
  readonly code: number;
  readonly reason: string;
}

/** A client's WebSocket, and how it ends. */
export interface OpenWebSocket {
  readonly socket: WebSocket;
  readonly ended: Promise<WebSocketEnd>;
  /** Sends a message and waits for the next one. */
  readonly echo: (message: string) => Promise<string>;
  close(): Promise<void>;
}

/** Opens a WebSocket. @param origin - of HTTP or HTTPS @throws if the server does not switch protocols */
export async function openWebSocket(
  origin: string,
  headers: Headers = {},
  path = '/',
  options: ClientOptions = {},
): Promise<OpenWebSocket> {
  const socket = new WebSocket(origin.replace(/^http/, 'ws') + path, {
    headers,
    perMessageDeflate: false,
    ...options,
  });
  const ended = new Promise<WebSocketEnd>((resolve) => {
    socket.once('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
    });
  });
  await once(socket, 'open');
  // A reset is an error and an end.
  socket.on('error', () => undefined);
  return {
    socket,
    ended,
    echo: async (message) => {
      const received = once(socket, 'message');
      socket.send(message);
      const [echoed] = (await received) as [Buffer];
      return echoed.toString();
    },
    close: () => {
      socket.terminate();
      return Promise.resolve();
    },
  };
}

/** The status of the response to an upgrade that is not granted. */
export async function statusOfRefused(
  origin: string,
  headers: Headers,
  path = '/',
): Promise<number> {
  const socket = new WebSocket(origin.replace(/^http/, 'ws') + path, { headers });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { readonly statusCode: number; destroy(): void },
  ];
  response.destroy();
  return response.statusCode;
}

/** Opens several at once. */
export function openWebSockets(
  count: number,
  open: (at: number) => Promise<OpenWebSocket>,
): Promise<OpenWebSocket[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => open(at)));
}

/** Where a raw connection is opened. */
export interface RawTarget {
  readonly port: number;
  /** The authority of its certificate; with it the connection is TLS. */
  readonly ca?: string;
}

/** Asks for an upgrade to raw octets as Docker does, and resolves with the connection behind the 101. */
export async function openRaw(
  { port, ca }: RawTarget,
  headers: Headers,
  path = '/attach',
): Promise<RawSocket> {
  const socket = ca === undefined ? openSocket(port) : openTlsSocket(port, ca);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: tcp\r\n${fields.join('')}\r\n`,
  );
  const head = await socket.until('\r\n\r\n');
  if (!head.toString('latin1').startsWith('HTTP/1.1 101 ')) {
    throw new Error(head.toString('latin1'));
  }
  return socket;
}

function openTlsSocket(port: number, ca: string): RawSocket {
  const socket = connect({ port, host: '127.0.0.1', ca });
  socket.allowHalfOpen = true;
  return new RawSocket(socket);
}
