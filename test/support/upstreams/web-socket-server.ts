import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';

import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';

import { Recorder } from '../lifecycle/recorder.js';
import { listen, type Listening } from '../network/listen.js';

/** What one end of a WebSocket was told, in order. Large messages are told by length and hash. */
export type WebSocketEvent = readonly [
  name: 'text' | 'binary' | 'ping' | 'pong' | 'close',
  ...rest: (string | number)[],
];

/** One end of a WebSocket, of a client or of a server. */
export interface RecordedWebSocket {
  readonly socket: WebSocket;
  readonly events: Recorder<WebSocketEvent>;
  /** Resolves with all that this end was told, once it is closed. */
  closed(): Promise<readonly WebSocketEvent[]>;
}

/** The end of a WebSocket at the server, and the request that asked for it. */
export interface AcceptedWebSocket extends RecordedWebSocket {
  readonly request: IncomingMessage;
}

/** Messages of many megabytes, compressed, may come before the end. */
const CLOSE_LIMIT_MS = 100_000;
const LONGEST_SHOWN = 200;

const shown = (data: Buffer): string =>
  data.length <= LONGEST_SHOWN
    ? data.toString('latin1')
    : `${data.length} octets, SHA-256 ${createHash('sha256').update(data).digest('hex')}`;

/** Records what an end of a WebSocket is told from now on. */
export function recordWebSocket(socket: WebSocket): RecordedWebSocket {
  const events = new Recorder<WebSocketEvent>();
  socket.on('message', (data: Buffer, isBinary) => {
    events.add([isBinary ? 'binary' : 'text', shown(data)]);
  });
  socket.on('ping', (data) => {
    events.add(['ping', shown(data)]);
  });
  socket.on('pong', (data) => {
    events.add(['pong', shown(data)]);
  });
  socket.on('close', (code, reason) => {
    events.add(['close', code, shown(reason)]);
  });
  // The close event tells enough of it.
  socket.on('error', () => undefined);
  const closed = async (): Promise<readonly WebSocketEvent[]> => {
    await events.find(([name]) => name === 'close', CLOSE_LIMIT_MS);
    return events.items;
  };
  return { socket, events, closed };
}

/** A server of `ws`, as an API. */
export interface TestWebSocketServer extends Listening {
  readonly webSockets: WebSocketServer;
  readonly accepted: Recorder<AcceptedWebSocket>;
}

/** @param onSocket - what the API does with a WebSocket; by default it only records what it is told */
export async function startWebSocketServer(
  onSocket: (accepted: AcceptedWebSocket) => void = () => undefined,
  options: ServerOptions = {},
): Promise<TestWebSocketServer> {
  const accepted = new Recorder<AcceptedWebSocket>();
  const server = createServer((_request, response) => response.end('no upgrade'));
  const webSockets = new WebSocketServer({ ...options, server });
  webSockets.on('connection', (socket, request) => {
    const one = { ...recordWebSocket(socket), request };
    onSocket(one);
    accepted.add(one);
  });
  return { ...(await listen(server)), webSockets, accepted };
}

/** Sends every message back as it came. */
export function echo({ socket }: RecordedWebSocket): void {
  socket.on('message', (data: Buffer, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
}
